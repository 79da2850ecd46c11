// SPDX-License-Identifier: Apache-2.0

// Package program is what the main function of every controller needs: settings from flags and
// environment variables, logs, signals, servers for probes and metrics, telemetry, dry runs and exit
// codes. A main package has one call of [Main], with a function that adds the controllers.
//
// A program without flags can use controller.Main in its place.
package program
