// Package controller stands for Lanyard's.
package controller

type Manager struct{}
