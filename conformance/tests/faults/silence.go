package faults

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// The time for which the API server is silent, the maximum time from its end until a change is
// followed, and the maximum time from then until the log reports it. The silence is longer than the 40
// seconds after which a recovery without evidence was once reported.
const (
	silence       = 50 * time.Second
	silenceLimit  = 30 * time.Second
	silenceMargin = 20 * time.Second
)

// APIServerSilent interrupts the connections of the replicas to the API server without an end that they
// would notice. Packets of the leader's open connections are dropped; those of the other replica are
// reset. New connections of both complete the TLS handshake and get no response. Afterwards, new
// connections work again, and the silent ones stay silent.
func APIServerSilent(t *testing.T, w *Fixture) {
	leader, other := harness.ReadyReplicas(t, w)
	replicas := []harness.Replica{leader, other}
	load := traffic.Start(t, w.steady(), usual)
	service := traffic.Service(Namespace, "silence")
	slice := traffic.Slice(service, w.host, w.other)
	route := traffic.Route(Namespace, "silence", w.gateway, newsPort, "silence")
	w.create(t, service, slice, route)
	w.deleteAfterwards(t, service, slice, route)
	for _, replica := range replicas {
		traffic.ExpectBackend(t, w.directly(t, replica, newsPort), w.other, 10*time.Second)
	}

	defer func() {
		for _, replica := range replicas {
			w.Control.Interrupt(t, harness.Namespace, replica.Name, harness.RestoreNew)
			if t.Failed() {
				w.Control.Kill(t, harness.Namespace, replica.Name) // It may never follow anything again.
			}
		}
	}()
	logs := []ear{w.listen(t, leader), w.listen(t, other)}
	for i, fault := range []harness.APIFault{harness.SilenceOpen, harness.ResetOpen} {
		w.Control.Interrupt(t, harness.Namespace, replicas[i].Name, harness.SilenceNew)
		w.Control.Interrupt(t, harness.Namespace, replicas[i].Name, fault)
	}
	began := time.Now()
	w.moveTo(t, slice, w.one)
	time.Sleep(silence)
	for i, replica := range replicas {
		traffic.ExpectBackend(t, w.directly(t, replica, newsPort), w.other, time.Second)
		require.Empty(t, recoveries(logs[i].messages(t)), "%s reports a recovery while the API server is silent", replica.Name)
	}

	for _, replica := range replicas {
		w.Control.Interrupt(t, harness.Namespace, replica.Name, harness.RestoreNew)
	}
	restored := time.Now()
	for _, replica := range replicas {
		t.Run(replica.Name, func(t *testing.T) {
			limit := max(time.Until(restored.Add(silenceLimit)), time.Second)
			traffic.ExpectBackend(t, w.directly(t, replica, newsPort), w.one, limit)
			t.Logf("follows the change %v after the network is back, and %v after the change", since(restored), since(began))
		})
	}
	for i, replica := range replicas {
		for _, operation := range failedOperations(logs[i].messages(t)) {
			logs[i].expect(t, silenceMargin, "can "+operation+" again")
		}
		for _, message := range logs[i].messages(t) {
			if strings.Contains(message, "cannot") || strings.Contains(message, " again") {
				t.Logf("%s: %s", replica.Name, message)
			}
		}
	}
	expectUnharmed(t, load)
}

// recoveries returns the messages that report that an operation works again.
func recoveries(messages []string) []string {
	return slices.DeleteFunc(slices.Clone(messages), func(message string) bool {
		return !strings.Contains(message, " again") || strings.Contains(message, "trying again") || strings.Contains(message, "cannot ")
	})
}

// failedOperations returns the operations that messages report as failed, as in "watch TCPRoute objects".
func failedOperations(messages []string) []string {
	operations := []string{}
	for _, message := range messages {
		if rest, isFailure := strings.CutPrefix(message, "cannot watch "); isFailure {
			operation, _, _ := strings.Cut(rest, ":")
			operations = append(operations, "watch "+operation)
		}
	}
	slices.Sort(operations)
	return slices.Compact(operations)
}
