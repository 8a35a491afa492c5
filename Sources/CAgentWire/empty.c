// A C target needs a source file; the wire format is all in the header.
