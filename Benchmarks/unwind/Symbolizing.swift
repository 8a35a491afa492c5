import Capture
import Elf
import ProfileModel
import Symbols

struct SymbolizingCost: Encodable {
  var addresses: Int
  var named: Int
  var wallSeconds: Double
  var cpuSeconds: Double
}

/// Symbolises a profile of `count` addresses, each in another function of the file at `path` if it
/// has as many, spread over all of it.
func symbolizingCost(path: String, addresses count: Int) throws -> SymbolizingCost {
  let image = try ElfImage(MappedFile(path: path))
  let functions = functionRanges(of: image)
  guard functions.count * 4 >= count else {
    throw BenchError.tooFewFunctions(path: path, found: functions.count, wanted: count / 4)
  }
  var profile = Profile()
  let mapping = profile.mappings.intern(
    Mapping(
      kind: .file, path: profile.strings.intern(path), buildID: image.buildID,
      start: FileAddress(0), end: FileAddress(UInt64.max), offset: FileOffset(0)))
  var position = 0
  while profile.locations.count < count {
    let range = functions[position * functions.count / count % functions.count]
    let size = range.upperBound.rawValue - range.lowerBound.rawValue
    let address = range.lowerBound.rawValue + UInt64(position) * 7919 % size
    _ = profile.locations.intern(.code(mapping, FileAddress(address)))
    position += 1
  }
  let wall = Host.now
  let cpu = Host.threadCPUTime
  Symbolizer().symbolize(&profile)
  return SymbolizingCost(
    addresses: profile.locations.count,
    named: profile.locations.ids.count { !profile.locations[$0].lines.isEmpty },
    wallSeconds: (Host.now - wall).seconds, cpuSeconds: (Host.threadCPUTime - cpu).seconds)
}

/// All functions that the unwind table knows, by address.
private func functionRanges(of image: ElfImage) -> [Range<FileAddress>] {
  var result: [Range<FileAddress>] = []
  for segment in image.segments where segment.isExecutable {
    var address = segment.address.rawValue
    let end = address + segment.fileSize
    while address < end {
      let range = image.functionRange(containing: FileAddress(address))
      if let range, !range.isEmpty { result.append(range) }
      // Linkers start functions at multiples of 16.
      address = range?.upperBound.rawValue ?? (address | 15) + 1
    }
  }
  return result
}
