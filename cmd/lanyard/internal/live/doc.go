// SPDX-License-Identifier: Apache-2.0

// Package live asks a program that is built with Lanyard what it does now, and prints it in a terminal. It knows the
// page's JSON by its stable names, and only those that it prints, so that it can ask programs of other versions.
package live
