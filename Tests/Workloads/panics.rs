// panics [SECONDS]: two threads panic and catch it for SECONDS of wall time (default 3), and work a
// little in between.
//
// Answer: exits 0 and prints `caught N`, N above 0. Stacks lead through Rust's unwinder and
// `panics::risky` to the thread's start, and names are demangled.
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static CAUGHT: AtomicU64 = AtomicU64::new(0);

#[inline(never)]
fn steps(count: u64) -> u64 {
    let mut x: u64 = count | 1;
    for _ in 0..count {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x = std::hint::black_box(x);
    }
    x
}

#[inline(never)]
fn risky(depth: u32) -> u64 {
    if depth == 0 {
        panic!("expected");
    }
    risky(depth - 1) + 1
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    panic::set_hook(Box::new(|_| {}));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            std::thread::spawn(move || {
                while Instant::now() < end {
                    std::hint::black_box(steps(20_000));
                    if panic::catch_unwind(|| std::hint::black_box(risky(8))).is_err() {
                        CAUGHT.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a worker ended by itself");
    }
    let caught = CAUGHT.load(Ordering::Relaxed);
    println!("caught {caught}");
    std::process::exit(if caught > 0 { 0 } else { 1 });
}
