package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// writeKeys writes what the API server proves itself with (ca.crt, api.crt, api.key) and what it
// signs the tokens of ServiceAccounts with (sa.key).
func writeKeys(dir string) error {
	authority := template("testcluster")
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authority.KeyUsage = x509.KeyUsageCertSign
	authorityKey, err := newKey()
	if err != nil {
		return err
	}
	if err := writeCertificate(filepath.Join(dir, "ca.crt"), authority, authority, authorityKey, authorityKey); err != nil {
		return err
	}

	server := template("kube-apiserver")
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	server.KeyUsage = x509.KeyUsageDigitalSignature
	server.IPAddresses = []net.IP{net.ParseIP(apiAddress), net.ParseIP(nodes[0].address)}
	server.DNSNames = []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	serverKey, err := newKey()
	if err != nil {
		return err
	}
	if err := writeCertificate(filepath.Join(dir, "api.crt"), server, authority, serverKey, authorityKey); err != nil {
		return err
	}
	if err := writeKey(filepath.Join(dir, "api.key"), serverKey); err != nil {
		return err
	}

	tokens, err := newKey()
	if err != nil {
		return err
	}
	return writeKey(filepath.Join(dir, "sa.key"), tokens)
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
}

func newKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func writeCertificate(path string, certificate, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, certificate, parent, key.Public(), parentKey)
	if err != nil {
		return err
	}
	return writePEM(path, "CERTIFICATE", der)
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, "EC PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
