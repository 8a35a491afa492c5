// goburn [SECONDS]: burns SECONDS of wall time (default 2) in Go, in a dynamically linked program.
//
// Answer: prints `done`, and nearly all weight is in main.steps. Go's runtime installs its own signal
// handlers by raw system calls, after every preloaded library: a sampler that loses its signal to
// them has to say so.
package main

// #include <stdint.h>
import "C"

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

//go:noinline
func steps(count int) C.uint64_t {
	x := C.uint64_t(count | 1)
	for i := 0; i < count; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

func main() {
	seconds := 2.0
	if len(os.Args) > 1 {
		seconds, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	var sum C.uint64_t
	for time.Now().Before(end) {
		sum += steps(1000000)
	}
	if sum != 0 {
		fmt.Println("done")
	}
}
