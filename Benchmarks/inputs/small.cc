// What cc1plus compiles: little code, much of the standard library.
#include <algorithm>
#include <map>
#include <string>
#include <vector>
int main() {
  std::map<std::string, std::vector<int>> sizes;
  for (int i = 0; i < 100; i++) {
    sizes[std::to_string(i % 7)].push_back(i);
  }
  auto most = std::max_element(sizes.begin(), sizes.end(),
                               [](auto &a, auto &b) { return a.second.size() < b.second.size(); });
  return most->second.front();
}
