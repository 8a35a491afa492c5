import Foundation
import FoundationXML

/// An SVG file as an independent XML parser understands it.
final class ParsedSVG: NSObject, XMLParserDelegate {
  struct Element {
    var name: String
    var attributes: [String: String]
    var text = ""
    /// Index of the element that holds this one.
    var parent: Int?
  }
  private(set) var elements: [Element] = []
  /// The file is not well-formed.
  struct Problem: Error {
    var line: Int
    var reason: String
  }
  private var open: [Int] = []

  init(_ svg: String) throws {
    super.init()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = self
    guard parser.parse() else {
      throw Problem(
        line: parser.lineNumber, reason: parser.parserError.map(String.init(describing:)) ?? "")
    }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    elements.append(Element(name: name, attributes: attributes, parent: open.last))
    open.append(elements.count - 1)
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    open.removeLast()
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if let last = open.last { elements[last].text += string }
  }

  func parser(_ parser: XMLParser, foundCDATA block: Data) {
    if let last = open.last { elements[last].text += String(decoding: block, as: UTF8.self) }
  }

  func all(_ name: String) -> [Element] { elements.filter { $0.name == name } }

  /// A box of the picture.
  struct Box {
    var start: Int64
    var weight: Int64
    var isMerged: Bool
    var tooltip: [String]
    var x: Double
    var width: Double
    var y: Int
    var fills: [String]
    var label: String?
    var name: String { tooltip[0] }
  }

  var boxes: [Box] {
    guard let group = elements.firstIndex(where: { $0.attributes["class"] == "qprof-frames" })
    else { return [] }
    return elements.indices.filter { elements[$0].parent == group }.map { index in
      let parts = elements.filter { $0.parent == index }
      let rects = parts.filter { $0.name == "rect" }
      let attributes = elements[index].attributes
      return Box(
        start: Int64(attributes["data-x"] ?? "") ?? -1,
        weight: Int64(attributes["data-w"] ?? "") ?? -1,
        isMerged: attributes["data-merged"] != nil,
        tooltip: (parts.first { $0.name == "title" }?.text ?? "").components(separatedBy: "\n"),
        x: Double(rects.first?.attributes["x"] ?? "") ?? -1,
        width: Double(rects.first?.attributes["width"] ?? "") ?? -1,
        y: Int(rects.first?.attributes["y"] ?? "") ?? -1,
        fills: rects.map { $0.attributes["fill"] ?? "" },
        label: parts.first { $0.name == "text" }?.text)
    }
  }

  func box(_ name: String) -> Box? { boxes.first { $0.name == name } }
}
