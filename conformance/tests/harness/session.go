package harness

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Session is a shell that somebody types commands into: what one sets, the next can use.
type Session struct {
	in     io.Writer
	out    *bufio.Reader
	errors string
}

// What ends the output of a command; its status follows.
const prompt = "\x01ready"

// NewSession opens a shell in a directory. It ends with the test.
func NewSession(t *testing.T, directory string) *Session {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "bash", "--norc")
	shell.Dir = directory
	in, err := shell.StdinPipe()
	require.NoError(t, err)
	out, err := shell.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, shell.Start())
	t.Cleanup(func() {
		in.Close()
		_ = shell.Wait()
	})
	return &Session{in: in, out: bufio.NewReader(out), errors: filepath.Join(t.TempDir(), "errors")}
}

// Type runs a command and gives what it prints to standard output and to standard error. That it
// fails is the end of the test.
func (s *Session) Type(t *testing.T, command string) (out, errors string) {
	t.Helper()
	// A command that reads must not read those that come after it.
	_, err := fmt.Fprintf(s.in, "{ %s\n} </dev/null 2>'%s'; echo \"%s $?\"\n", command, s.errors, prompt)
	require.NoError(t, err)
	for {
		line, err := s.out.ReadString('\n')
		require.NoErrorf(t, err, "the shell ended in `%s`, after:\n%s", command, out)
		before, status, end := strings.Cut(line, prompt+" ")
		out += before
		if !end {
			continue
		}
		said, err := os.ReadFile(s.errors)
		require.NoError(t, err)
		t.Logf("$ %s\n%s%s", command, out, said)
		require.Equalf(t, "0", strings.TrimSpace(status), "status of `%s`", command)
		return out, string(said)
	}
}

// Expand is what the shell makes of a word: its variables are put in.
func (s *Session) Expand(t *testing.T, word string) string {
	t.Helper()
	out, _ := s.Type(t, "echo "+word)
	return strings.TrimSpace(out)
}
