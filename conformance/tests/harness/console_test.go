package harness

import (
	"slices"
	"testing"
)

const page = "# Page\n\n```console\n$ not this one\n```\n\n## In a cluster\n\nText.\n\n```console\n" +
	"$ one\nwhat one says\n$ two \\\n    --more\n```\n\n### Deeper\n\n```sh\n$ no console\n```\n\n```console\n" +
	"# a comment that is no heading\n$ three\n```\n\n## Next\n\n```console\n$ nor this\n```\n"

func TestConsoleReadsCommandsOfASection(t *testing.T) {
	got, err := Commands(page, "In a cluster")
	if want := []string{"one", "two \\\n    --more", "three"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if _, err := Commands(page, "Elsewhere"); err == nil {
		t.Error("a heading that is not there must be an error")
	}
}
