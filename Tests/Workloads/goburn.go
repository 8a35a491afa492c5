// goburn [SECONDS]: burns SECONDS of wall time (default 2) in Go, in one thread.
//
// Answer: prints `done`, and nearly all weight is in main.steps. It is built twice. goburn-cgo has
// gocgo.go too, so Go's runtime sets its signal handlers through the C library. goburn-raw has a
// dynamic loader but no C library of its own: its runtime takes the signals, and starts its threads,
// by raw system calls, after every preloaded library. A sampler whose signal is lost has to say so.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

//go:noinline
func steps(count int) uint64 {
	x := uint64(count | 1)
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
	var sum uint64
	for time.Now().Before(end) {
		sum += steps(1000000)
	}
	if sum != 0 {
		fmt.Println("done")
	}
}
