// Probe stands in for the controller and tells what a process in its image sees.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

func main() {
	if slices.Contains(os.Args[1:], "wait") {
		terminated := make(chan os.Signal, 1)
		signal.Notify(terminated, syscall.SIGTERM)
		fmt.Println("waiting")
		fmt.Println("got:", <-terminated)
		return
	}
	network, err := os.Readlink("/proc/self/ns/net")
	fmt.Fprintln(os.Stderr, "network namespace:", network, err)
	own, err := os.OpenFile(os.Args[0], os.O_WRONLY, 0)
	if err == nil {
		own.Close()
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"args":     os.Args,
		"uid":      os.Getuid(),
		"gid":      os.Getgid(),
		"network":  network,
		"writable": os.WriteFile("/written", nil, 0o600) == nil || err == nil,
	})
}
