#include <thread>
#include <sys/prctl.h>
template <class T> struct Box { T v; };
static inline __attribute__((always_inline)) unsigned mix(unsigned x) { for (int i = 0; i < 4000; i++) x = x * 1664525u + 1013904223u; return x; }
__attribute__((noinline)) unsigned work(Box<unsigned> b, int rounds) { unsigned s = b.v; for (int i = 0; i < rounds; i++) s ^= mix(s + i); return s; }
__attribute__((noinline)) unsigned light(int r) { return work({1}, r) + 1; }
__attribute__((noinline)) unsigned heavy(int r) { return work({2}, r) + 1; }
int main() {
  volatile unsigned x = 0;
  std::thread t([&] { prctl(PR_SET_NAME, "helper one"); x += light(20000); });
  x += heavy(60000);
  t.join();
}
