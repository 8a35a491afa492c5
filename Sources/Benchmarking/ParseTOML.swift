import Foundation
import TOMLKit

/// A text that is not TOML, or that TOMLKit cannot take.
struct TOMLError: Error, Equatable {
  var line: Int
  var reason: String
}

/// TOMLKit's reading of a text, kept from what would cut it short or abort the process.
func parseTOML(_ text: String) throws(TOMLError) -> TOMLTable {
  func line(of position: String.Index) -> Int {
    text[..<position].count(where: \.isNewline) + 1
  }
  // TOMLKit passes C strings: text, keys and values would silently end at a NUL.
  for nul in ["\0", "\\u0000", "\\U00000000"] {
    if let position = text.range(of: nul, options: .literal)?.lowerBound {
      throw TOMLError(line: line(of: position), reason: "a NUL character")
    }
  }
  do {
    try checkStructure(ofTOML: Array(text.utf8))
  } catch {
    let position = text.utf8.index(text.startIndex, offsetBy: error.position)
    throw TOMLError(line: line(of: position), reason: error.reason)
  }
  do {
    return try TOMLTable(string: text)
  } catch let error as TOMLParseError {
    throw TOMLError(line: error.source.begin.line, reason: error.description)
  } catch {
    throw TOMLError(line: 1, reason: "\(error)")
  }
}
