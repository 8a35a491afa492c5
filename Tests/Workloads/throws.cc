// throws [SECONDS]: for SECONDS of wall time (default 3) two threads throw and catch exceptions
// through five frames, one loads and unloads plugin.so (beside this program) and runs plugin_work
// in between, and one walks the list of loaded objects without a pause.
//
// Answer: exits 0 and prints `caught N loaded M walked K`, all above 0. Any unwinder that takes the
// loader's lock in a signal handler deadlocks here, and one that trusts old mappings goes astray.
#include "burn.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <link.h>
#include <stdexcept>
#include <string>
#include <thread>

static std::atomic<bool> stop{false};
static std::atomic<long> caught{0}, loaded{0}, walked{0};

[[gnu::noinline]] static void throw_at(int depth) {
  if (depth == 0) {
    throw std::runtime_error("thrown");
  }
  throw_at(depth - 1);
  __asm__ volatile("" ::: "memory");
}

static void throw_and_catch() {
  while (!stop) {
    try {
      throw_at(4);
    } catch (const std::runtime_error &) {
      caught++;
    }
  }
}

static void load_and_unload(const std::string &path) {
  while (!stop) {
    void *plugin = dlopen(path.c_str(), RTLD_NOW);
    if (plugin == nullptr) {
      fprintf(stderr, "throws: %s\n", dlerror());
      exit(1);
    }
    auto work = reinterpret_cast<uint64_t (*)(uint64_t)>(dlsym(plugin, "plugin_work"));
    volatile uint64_t sink = work(100000);
    (void)sink;
    dlclose(plugin);
    loaded++;
  }
}

static int count_object(dl_phdr_info *, size_t, void *count) {
  ++*static_cast<long *>(count);
  return 0;
}

static void walk_objects() {
  while (!stop) {
    long count = 0;
    dl_iterate_phdr(count_object, &count);
    walked += count > 0;
  }
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 3;
  std::string program = argv[0];
  std::string plugin = program.substr(0, program.rfind('/') + 1) + "plugin.so";
  std::thread threads[] = {std::thread(throw_and_catch), std::thread(throw_and_catch),
                           std::thread(load_and_unload, plugin), std::thread(walk_objects)};
  timespec length = {static_cast<time_t>(seconds),
                     static_cast<long>((seconds - static_cast<long>(seconds)) * 1e9)};
  nanosleep(&length, nullptr);
  stop = true;
  for (auto &thread : threads) {
    thread.join();
  }
  printf("caught %ld loaded %ld walked %ld\n", caught.load(), loaded.load(), walked.load());
  return caught > 0 && loaded > 0 && walked > 0 ? 0 : 1;
}
