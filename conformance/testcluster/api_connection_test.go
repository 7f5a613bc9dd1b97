package main

import "testing"

func TestRecordReaderFindsApplicationDataInPieces(t *testing.T) {
	hello := []byte{22, 3, 1, 0, 2, 23, 23} // The payload looks like a header of application data.
	change := []byte{20, 3, 3, 0, 1, 1}
	finished := []byte{23, 3, 3, 0, 1, 9}
	for size := 1; size < 8; size++ {
		var r recordReader
		feed := func(data []byte) (found bool) {
			for len(data) > 0 {
				n := min(size, len(data))
				found = r.hasApplicationData(data[:n]) || found
				data = data[n:]
			}
			return found
		}
		if feed(hello) || feed(change) {
			t.Fatalf("in pieces of %d bytes, the handshake is taken for application data", size)
		}
		if !feed(finished) {
			t.Fatalf("in pieces of %d bytes, application data is not found", size)
		}
	}
}
