import Foundation
package import ProfileModel

/// A profile that was read from a file, and what its user should know about it.
package struct ProfileInput: Sendable {
  package var profile: Profile
  package var format: ProfileFormat
  /// False for a recording whose writer did not come to that: addresses have no functions yet.
  package var isSymbolized = true
  /// False for a recording whose writer did not come to its end.
  package var isComplete = true
  /// True for a recording whose writer still lives.
  package var isBeingRecorded = false
  /// Lines of a text format that could not be read.
  package var skipped = SkippedLines()
}

/// Which values to take of a pprof file, which may have several of each sample. Other formats have
/// one, and recordings keep what all of them are made from.
package enum ProfileValues: Hashable, Sendable {
  /// Those that the file itself says, else `cpu`, else the last.
  case fileDefault
  case cpu
  case heap(HeapMetric)
}

/// Reads a file in any format that qprof knows, recognised by its content. Pipes work too, for
/// all formats but recordings.
package func readProfile(
  path: String, values: ProfileValues = .fileDefault
) throws(ProfileFormatError) -> ProfileInput {
  let bytes: [UInt8]
  do {
    bytes = try readFile(path, isEnough: { $0.starts(with: sqliteMagic) })
  } catch {
    throw ProfileFormatError(error.problem, path: path)
  }
  guard !bytes.starts(with: sqliteMagic) else {
    do {
      let read = try readRecording(path: path)
      return ProfileInput(
        profile: read.profile, format: .recording, isSymbolized: read.isSymbolized,
        isComplete: read.isComplete, isBeingRecorded: isBeingRecorded(path: path))
    } catch {
      throw ProfileFormatError(.recording(error), path: path)
    }
  }
  do {
    return try readProfile(bytes: bytes, values: values)
  } catch {
    throw ProfileFormatError(error.problem, path: path)
  }
}

/// Reads the content of a file in any format but that of recordings, which need their file.
package func readProfile(
  bytes: [UInt8], values: ProfileValues = .fileDefault
) throws(ProfileFormatError) -> ProfileInput {
  guard !bytes.isEmpty else { throw ProfileFormatError(.empty) }
  if bytes.starts(with: "PERFILE2".utf8) || bytes.starts(with: "2ELIFREP".utf8) {
    throw ProfileFormatError(.perfData)
  }
  if bytes.starts(with: Gzip.magic) {
    let unpacked = try Pprof.unpack(bytes)
    if let input = try readText(unpacked) { return input }
    return try readPprof(unpacked, values)
  }
  if looksLikePprof(bytes) { return try readPprof(bytes, values) }
  guard let input = try readText(bytes) else { throw ProfileFormatError(.unknownFormat) }
  return input
}

private let sqliteMagic = Array("SQLite format 3\0".utf8)

private func readPprof(
  _ bytes: [UInt8], _ values: ProfileValues
) throws(ProfileFormatError) -> ProfileInput {
  ProfileInput(profile: try Pprof.decode(bytes, values: values), format: .pprof)
}

/// The first byte of almost every pprof file is the tag of its first value type. A text may begin
/// with the same byte, an empty line, but has no others below the tab.
private func looksLikePprof(_ bytes: [UInt8]) -> Bool {
  guard bytes.prefix(256).contains(where: { $0 < 0x09 }) else { return false }
  return bytes.first == 0x0a || (try? ProtobufScan(bytes)) != nil
}

/// Nil when most lines are no folded stacks.
private func readText(_ bytes: [UInt8]) throws(ProfileFormatError) -> ProfileInput? {
  let text = withoutByteOrderMark(bytes)
  if PerfScript.recognizes(text) {
    let (profile, skipped) = try PerfScript.decode(text)
    return ProfileInput(profile: profile, format: .perfScript, skipped: skipped)
  }
  guard !text.prefix(1 << 16).contains(0),
    let (profile, skipped) = try? Folded.decode(text), profile.samples.count >= skipped.count
  else { return nil }
  return ProfileInput(profile: profile, format: .folded, skipped: skipped)
}

/// The bytes of a file, up to the first block for which `isEnough` says so.
private func readFile(
  _ path: String, isEnough: ([UInt8]) -> Bool
) throws(ProfileFormatError) -> [UInt8] {
  let maximumSize = 1 << 32
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { throw ProfileFormatError(problem(errno)) }
  defer { close(file) }
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    let count = read(file, &block, block.count)
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { throw ProfileFormatError(problem(errno)) }
    if count == 0 { return bytes }
    bytes += block[..<count]
    if isEnough(bytes) { return bytes }
    guard bytes.count <= maximumSize else {
      throw ProfileFormatError(.tooLarge(limit: maximumSize))
    }
  }
}

private func problem(_ code: Int32) -> ProfileFormatError.Problem {
  switch code {
  case ENOENT, ENOTDIR: .noSuchFile
  case EACCES, EPERM: .noPermission
  default: .failed(reason: String(cString: strerror(code)))
  }
}
