package main

import "os"

// auditPolicy has the API server log what pods ask of it, so that a test can count
// what a controller does. What the control plane and the node ask is left out.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts"]
- level: None
`

// writeAudit gives the flags that it takes.
func writeAudit(policy, log string) ([]string, error) {
	err := os.WriteFile(policy, []byte(auditPolicy), 0o644)
	return []string{"--audit-policy-file=" + policy, "--audit-log-path=" + log}, err
}
