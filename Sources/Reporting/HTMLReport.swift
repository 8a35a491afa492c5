package struct HTMLReport {
  let report: Report
  package init(_ report: Report) { self.report = report }
  package var bytes: [UInt8] { [] }
}
