package scale

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sluicegate.dev/conformance/tests/harness"
)

// Requests are what our ServiceAccount has asked of the API server.
type Requests struct {
	// ByKind counts them by verb and resource, as in "update tcproutes/status".
	ByKind map[string]int
	// Most is how many of a kind the object had that had most of them.
	Most map[string]int
}

// audit reads the log that the API server keeps of requests.
type audit struct{ file *os.File }

// newAudit reads from here on.
func newAudit(t *testing.T, here harness.Environment) audit {
	t.Helper()
	file, err := os.Open(filepath.Join(here.Cluster, "logs", "audit.log"))
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	_, err = file.Seek(0, io.SeekEnd)
	require.NoError(t, err)
	return audit{file}
}

func (a audit) requests(t *testing.T) Requests {
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
		isOurs := strings.HasPrefix(event.User.Username, "system:serviceaccount:"+harness.Namespace+":")
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
