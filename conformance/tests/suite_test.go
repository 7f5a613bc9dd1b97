// Package tests contains the tests that conformance/run runs. Each test needs its own test cluster.
package tests

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance"
	report "sigs.k8s.io/gateway-api/conformance/apis/v1"
	official "sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
	"sluicegate.dev/conformance/tests/harness"
	tcpvariants "sluicegate.dev/conformance/tests/tcp_variants"
)

// The addresses for the tests on static addresses: one that the load balancer of the test cluster has
// and gives to nobody unasked, and one that nobody has.
const (
	usableAddress   = "10.250.0.250"
	unusableAddress = "192.0.2.1"
)

// TestConformance runs the official suite, unmodified, with profile GATEWAY-TCP, and then our TCP
// variants in the same suite. Only the official tests are in the report.
func TestConformance(t *testing.T) {
	here := harness.Here(t)
	harness.InstallCRDs(t, here, "standard")
	harness.InstallChart(t, here, "addresses.mode=service")

	options := conformance.DefaultOptions(t)
	options.GatewayClassName = harness.Release
	options.ConformanceProfiles = []suite.ConformanceProfileName{suite.GatewayTCPConformanceProfileName}
	options.BaseManifests = tcpvariants.BaseManifests
	options.ManifestFS = []fs.FS{tcpvariants.Manifests, &conformance.Manifests}
	options.UsableNetworkAddresses = ipAddress(usableAddress)
	options.UnusableNetworkAddresses = ipAddress(unusableAddress)
	options.Implementation = report.Implementation{
		Organization: "sluicegate",
		Project:      "sluicegate",
		URL:          "https://github.com/sluicegate/sluicegate",
		Version:      version(t, here),
		Contact:      []string{"https://github.com/sluicegate/sluicegate/issues/new"},
	}
	for _, skipped := range tcpvariants.NotRun {
		require.True(t, tcpvariants.Named(official.ConformanceTests, skipped.Test), "there is no official test %s", skipped.Test)
		require.True(t, tcpvariants.Named(tcpvariants.All, skipped.Variant), "there is no TCP variant %s", skipped.Variant)
		t.Logf("skipped: %s: %s. Its TCP variant is %s.", skipped.Test, skipped.Why, skipped.Variant)
		options.SkipTests = append(options.SkipTests, skipped.Test)
	}

	// Which features are supported the suite learns from the GatewayClass, as anybody would.
	run, err := suite.NewConformanceTestSuite(options)
	require.NoError(t, err)
	for _, feature := range []features.FeatureName{
		features.SupportGateway, features.SupportTCPRoute, features.SupportReferenceGrant,
		features.SupportGatewayStaticAddresses, features.SupportGatewayAddressEmpty,
	} {
		require.True(t, run.SupportedFeatures.Has(feature), "the GatewayClass doesn't claim feature %s", feature)
	}

	run.Setup(t, official.ConformanceTests)
	t.Run("official", func(t *testing.T) {
		t.Cleanup(func() { keep(t, here, run) })
		require.NoError(t, run.Run(t, observed(here, official.ConformanceTests)))
	})
	t.Run("tcp_variants", func(t *testing.T) {
		require.NoError(t, run.Run(t, observed(here, tcpvariants.All)))
	})
}

// observed are the same tests; of one that fails the objects are written down before they are deleted.
func observed(here harness.Environment, tests []suite.ConformanceTest) []suite.ConformanceTest {
	with := make([]suite.ConformanceTest, 0, len(tests))
	for _, test := range tests {
		unmodified := test.Test
		test.Test = func(t *testing.T, s *suite.ConformanceTestSuite) {
			t.Cleanup(func() {
				if t.Failed() {
					harness.Snapshot(t, filepath.Join(here.Output, test.ShortName+".yaml"))
				}
			})
			unmodified(t, s)
		}
		with = append(with, test)
	}
	return with
}

func ipAddress(value string) []gateway.GatewaySpecAddress {
	return []gateway.GatewaySpecAddress{{Type: ptr.To(gateway.IPAddressType), Value: value}}
}

// version is that of the crate.
func version(t *testing.T, here harness.Environment) string {
	t.Helper()
	manifest, err := os.ReadFile(filepath.Join(here.Repository, "Cargo.toml"))
	require.NoError(t, err)
	for line := range strings.Lines(string(manifest)) {
		if value, found := strings.CutPrefix(line, "version = "); found {
			return "v" + strings.Trim(value, "\"\n")
		}
	}
	t.Fatal("Cargo.toml has no version")
	return ""
}

// keep writes the report of the official tests, and beside it why some were skipped.
func keep(t *testing.T, here harness.Environment, run *suite.ConformanceTestSuite) {
	t.Helper()
	found, err := run.Report()
	require.NoError(t, err)
	for name, content := range map[string]any{"standard-report.yaml": found, "skipped.yaml": tcpvariants.NotRun} {
		text, err := yaml.Marshal(content)
		require.NoError(t, err)
		t.Logf("%s:\n%s", name, text)
		require.NoError(t, os.WriteFile(filepath.Join(here.Output, name), text, 0o644))
	}
}
