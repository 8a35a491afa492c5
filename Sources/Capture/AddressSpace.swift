import Elf
package import ProfileModel

/// A range of addresses of one process, and the image it belongs to.
package struct Region {
  package var start: UInt64
  package var end: UInt64
  /// Run-time address minus file address; 0 without an image.
  package var bias: UInt64
  package var image: LoadedImage?
  /// What the kernel calls it; `[anonymous]` for code without a file.
  package var path: String
  package var isDeleted: Bool

  package func fileAddress(_ address: UInt64) -> FileAddress { FileAddress(address &- bias) }

  /// The region as a profile keeps it, without what differs from process to process: the segment
  /// of the file, or, where there is no file to tell, the range itself.
  package func mapping(path: ID<String>) -> Mapping {
    let first = fileAddress(start)
    let segment = image?.elf.segments.first {
      first.rawValue &- ($0.address.rawValue & ~0xfff) < $0.memorySize
        && $0.isExecutable
    }
    return Mapping(
      kind: kind, path: path, buildID: image?.elf.buildID, start: segment?.address ?? first,
      end: segment.map { FileAddress($0.address.rawValue &+ $0.memorySize) } ?? fileAddress(end),
      offset: segment?.offset ?? FileOffset(0))
  }

  private var kind: Mapping.Kind {
    if let image { return image.kind }
    guard path.hasPrefix("/") else { return .anonymous }
    return isDeleted ? .deleted : .file
  }
}

/// A ``Region`` as the unwinder reads it. The image lives as long as the region's address space.
struct RegionView {
  var start: UInt64
  var end: UInt64
  var bias: UInt64
  var image: UnsafeMutablePointer<LoadedImage.View>?
}

/// The executable regions of a process, sorted by address.
///
/// Regions outlive their unmapping until something else is mapped there: stacks captured before
/// the object went are still in the rings.
package struct AddressSpace {
  package private(set) var regions: [Region] = []
  /// The same for the unwinder, without references to count.
  private(set) var table: [RegionView] = []

  package func region(containing address: UInt64) -> Region? {
    var low = 0
    var high = regions.count
    while low < high {
      let middle = (low + high) / 2
      if regions[middle].end <= address { low = middle + 1 } else { high = middle }
    }
    guard low < regions.count, regions[low].start <= address else { return nil }
    return regions[low]
  }

  package func covers(_ address: UInt64) -> Bool {
    table.withUnsafeBufferPointer { regions in
      var low = 0
      var high = regions.count
      while low < high {
        let middle = (low + high) / 2
        if regions[middle].end <= address { low = middle + 1 } else { high = middle }
      }
      return low < regions.count && regions[low].start <= address
    }
  }

  /// Takes in a new list of mappings.
  /// - Returns: whether anything changed.
  mutating func update(_ entries: [MapsEntry], pid: Int32, images: ImageCache) -> Bool {
    let new = entries.filter { $0.isExecutable && $0.path != "[vsyscall]" }.map {
      Self.region($0, pid: pid, images: images)
    }
    let kept = regions.filter { old in !new.contains { $0.start < old.end && old.start < $0.end } }
    let merged = (kept + new).sorted { $0.start < $1.start }
    let changed = !merged.elementsEqual(regions) {
      $0.start == $1.start && $0.end == $1.end && $0.bias == $1.bias && $0.image === $1.image
        && $0.path == $1.path
    }
    regions = merged
    table = merged.map {
      RegionView(start: $0.start, end: $0.end, bias: $0.bias, image: $0.image?.view)
    }
    return changed
  }

  /// The load bias comes from the executable mapping itself: a page of the file can belong to two
  /// segments, and only the mapping tells which one this is.
  private static func region(_ entry: MapsEntry, pid: Int32, images: ImageCache) -> Region {
    let image = images.image(for: entry, pid: pid)
    let address: FileAddress? =
      entry.path == "[vdso]"
      ? image?.elf.segments.first?.address : image?.elf.fileAddress(of: FileOffset(entry.offset))
    return Region(
      start: entry.start, end: entry.end, bias: address.map { entry.start &- $0.rawValue } ?? 0,
      image: address == nil ? nil : image,
      path: image?.path ?? (entry.path.isEmpty ? "[anonymous]" : entry.path),
      isDeleted: entry.isDeleted)
  }
}
