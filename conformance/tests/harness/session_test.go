package harness

import "testing"

func TestSessionKeepsVariablesAndSeparatesOutputFromErrors(t *testing.T) {
	session := NewSession(t, t.TempDir())
	session.Type(t, "word=kept")
	out, errors := session.Type(t, "echo \\\n  $word; cat; echo no newline >&2; printf end")
	if out != "kept\nend" || errors != "no newline\n" {
		t.Errorf("got %q and %q", out, errors)
	}
	if got := session.Expand(t, `"a-$word"`); got != "a-kept" {
		t.Errorf("got %q", got)
	}
}
