extension Suppressions {
  /// Memory that common runtimes keep until the process ends on purpose.
  package static let builtIn = Suppressions(rules: [])
}
