// heap_plugins: loads heap_one.so and heap_two.so in turn, 20 times in all, by their names alone:
// its RUNPATH says where they are, in a folder `plugins` beside it. Their functions plugin_one and
// plugin_two are at one offset and, as the loader reuses the room, at one address. Each time the
// function allocates ten blocks of 50 bytes, which are freed in order before the plugin is closed.
//
// Answer: plugin_one and plugin_two with 100 5000 100 5000 each (see heap_script.c), and
// `moved N`, how often the address was another one than the first time.
#include "heap.h"

#include <dlfcn.h>

site static void call_plugin(void *(*function)(size_t)) {
  void *blocks[10];
  for (int i = 0; i < 10; i++) {
    blocks[i] = keep(function(50));
  }
  for (int i = 0; i < 10; i++) {
    free(blocks[i]);
  }
}

int main(void) {
  void *first = NULL;
  int moved = 0;
  for (int i = 0; i < 20; i++) {
    void *plugin = dlopen(i % 2 == 0 ? "heap_one.so" : "heap_two.so", RTLD_NOW);
    require(plugin != NULL);
    void *function = dlsym(plugin, i % 2 == 0 ? "plugin_one" : "plugin_two");
    require(function != NULL);
    first = first == NULL ? function : first;
    moved += function != first;
    call_plugin((void *(*)(size_t))function);
    dlclose(plugin);
  }
  say("plugin_one 100 5000 100 5000 0 0\n");
  say("plugin_two 100 5000 100 5000 0 0\n");
  say("moved %d\n", moved);
  return 0;
}
