// Package clientset holds the clients of the wardle.example.com API: versioned, generated, with a
// context as the first argument of every call and options by value, as KEP-1601 has it.
package clientset
