package harness

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// Command runs a program, logs what it says and gives its standard output. That it fails is the end
// of the test.
func Command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := Try(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return out
}

// Try is Command for a program that may fail.
func Try(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	var out, errors bytes.Buffer
	command.Stdout, command.Stderr = &out, &errors
	err := command.Run()
	t.Logf("$ %s %s\n%s%s", name, strings.Join(args, " "), out.String(), errors.String())
	return out.String(), err
}

// Output runs a program that says much, and gives that: its errors only where it fails.
func Output(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	var errors bytes.Buffer
	command.Stderr = &errors
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, errors.String())
	}
	return string(out), nil
}
