package harness

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Requests are the requests of the ServiceAccounts of a release to the API server.
type Requests struct {
	// ByKind counts them by verb and resource, as in "update tcproutes/status".
	ByKind map[string]int
	// Most is how many of a kind the object had that had most of them.
	Most map[string]int
}

// Writes returns the requests that change objects, without those of leader election.
func (r Requests) Writes() map[string]int {
	writes := map[string]int{}
	for kind, count := range r.ByKind {
		verb, resource, _ := strings.Cut(kind, " ")
		if verb != "get" && verb != "list" && verb != "watch" && resource != "leases" {
			writes[kind] = count
		}
	}
	return writes
}

// Audit reads the log that the API server keeps of requests of pods.
type Audit struct{ file *os.File }

// NewAudit skips the entries that exist already.
func NewAudit(t *testing.T, here Environment) Audit {
	t.Helper()
	file, err := os.Open(filepath.Join(here.Cluster, "logs", "audit.log"))
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	_, err = file.Seek(0, io.SeekEnd)
	require.NoError(t, err)
	return Audit{file}
}

// Requests returns the requests of a release since the last call.
func (a Audit) Requests(t *testing.T, release ChartRelease) Requests {
	t.Helper()
	text, err := io.ReadAll(a.file)
	require.NoError(t, err)
	requests := Requests{ByKind: map[string]int{}, Most: map[string]int{}}
	objects, known := map[string]int{}, map[string]bool{}
	for line := range strings.Lines(string(text)) {
		event := struct {
			AuditID   string
			Verb      string
			User      struct{ Username string }
			ObjectRef struct{ Resource, Subresource, Namespace, Name string }
		}{}
		require.NoError(t, json.Unmarshal([]byte(line), &event), line)
		isOurs := strings.HasPrefix(event.User.Username, "system:serviceaccount:"+release.Namespace+":")
		// A watch is in it twice: when it begins, and when it ends.
		if !isOurs || known[event.AuditID] {
			continue
		}
		known[event.AuditID] = true
		of := event.ObjectRef
		kind := event.Verb + " " + of.Resource
		if of.Subresource != "" {
			kind += "/" + of.Subresource
		}
		requests.ByKind[kind]++
		object := kind + " " + of.Namespace + "/" + of.Name
		objects[object]++
		requests.Most[kind] = max(requests.Most[kind], objects[object])
	}
	return requests
}
