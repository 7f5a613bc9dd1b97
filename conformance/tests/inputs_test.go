package tests

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"sluicegate.dev/conformance/tests/harness"
)

// outcome is the result of `kubectl apply` for one file.
type outcome struct {
	// Objects are what the API server would store, without the fields that it sets itself.
	Objects []map[string]any `json:"objects,omitempty"`
	// Error is the text that kubectl writes if it or the API server refuses anything.
	Error string `json:"error,omitempty"`
}

// TestInputs applies every file of tests/unusual_inputs with kubectl, without storing anything, and
// writes the outcomes to outcomes.yaml in the output directory. conformance/run compares that file
// with the one in the repository, which the crate's own test reads.
func TestInputs(t *testing.T) {
	here := harness.Here(t)
	harness.InstallCRDs(t, here, "standard")
	harness.Command(t, "kubectl", "create", "namespace", "infra")
	directory := filepath.Join(here.Repository, "tests", "unusual_inputs", "inputs")
	files, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "files in %s", directory)

	outcomes := map[string]outcome{}
	for _, file := range files {
		outcomes[strings.TrimSuffix(filepath.Base(file), ".yaml")] = apply(t, file)
	}
	written, err := yaml.Marshal(outcomes)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(here.Output, "outcomes.yaml"), written, 0o644))
}

// apply returns the outcome of one file.
func apply(t *testing.T, file string) outcome {
	t.Helper()
	command := exec.CommandContext(t.Context(), "kubectl", "apply", "--dry-run=server", "--output", "json", "--filename", filepath.Base(file))
	command.Dir = filepath.Dir(file)
	var out, failure bytes.Buffer
	command.Stdout, command.Stderr = &out, &failure
	err := command.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("kubectl cannot be run: %v", err)
	}
	result := outcome{Objects: stored(t, &out)}
	if err != nil {
		result.Error = strings.TrimSpace(failure.String())
		require.NotEmpty(t, result.Error, "kubectl fails without an error for %s", file)
	}
	return result
}

// stored reads the objects that kubectl prints: one, or a List of several.
func stored(t *testing.T, out io.Reader) []map[string]any {
	t.Helper()
	objects := []map[string]any{}
	decoder := json.NewDecoder(out)
	for {
		printed := unstructured.Unstructured{}
		if err := decoder.Decode(&printed.Object); err == io.EOF {
			return objects
		} else {
			require.NoError(t, err)
		}
		if !printed.IsList() {
			objects = append(objects, asWritten(printed))
			continue
		}
		require.NoError(t, printed.EachListItem(func(item runtime.Object) error {
			objects = append(objects, asWritten(*item.(*unstructured.Unstructured)))
			return nil
		}))
	}
}

// asWritten removes what kubectl and the API server add to the metadata of every object.
func asWritten(object unstructured.Unstructured) map[string]any {
	for _, field := range []string{"uid", "creationTimestamp", "resourceVersion", "generation", "managedFields"} {
		unstructured.RemoveNestedField(object.Object, "metadata", field)
	}
	annotations := object.GetAnnotations()
	delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
	object.SetAnnotations(annotations)
	unstructured.RemoveNestedField(object.Object, "status")
	return object.Object
}
