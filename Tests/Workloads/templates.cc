// Template-heavy C++ for cc1plus to compile: about four seconds of `g++ -O2 -c`.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

template <int N> struct Record {
  std::string name;
  std::vector<std::tuple<int, double, std::string>> rows;
  std::map<std::string, std::set<int>> index;
  std::variant<int, std::string, std::vector<double>> value;
};

template <int N> std::size_t digest(const std::string &text) {
  std::unordered_map<std::string, Record<N>> records;
  std::regex word("[a-z]+" + std::to_string(N));
  for (std::sregex_iterator it(text.begin(), text.end(), word), end; it != end; ++it) {
    auto &record = records[it->str()];
    record.rows.emplace_back(N, it->position(), it->str());
    record.index[it->str()].insert(static_cast<int>(it->length()));
    record.value = it->str();
  }
  std::vector<std::pair<std::string, Record<N>>> sorted(records.begin(), records.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto &a, const auto &b) { return a.first < b.first; });
  std::function<std::size_t(std::size_t, const std::pair<std::string, Record<N>> &)> add =
      [](std::size_t sum, const auto &entry) { return sum + entry.second.rows.size() * N; };
  return std::accumulate(sorted.begin(), sorted.end(), std::size_t{0}, add);
}

std::size_t everything(const std::string &text) { return digest<1>(text) + digest<2>(text); }
