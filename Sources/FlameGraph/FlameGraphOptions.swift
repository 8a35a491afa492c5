/// What a flame graph shows beside its frames, and how large.
package struct FlameGraphOptions: Sendable {
  /// Nil for the name of the bench or program.
  package var title: String?
  /// Nil for the command, the amount sampled and the rate.
  package var subtitle: String?
  /// Further lines of the description inside the file, below those about the recording.
  package var notes: [String] = []
  /// Pixels; a viewer that runs the script fits the picture to its window.
  package var width = 1200
  package var limits = FlameLayout.Limits()
  /// Root at the top.
  package var icicle = false
  /// Nil: by process when there are several.
  package var grouping: FlameTree.Grouping?
  /// In a differential, scale what was before to the total of what is now, so that two runs of
  /// different length compare by shares. Wrong where both did the same fixed work. Nil: yes for
  /// CPU time, no for memory, since the same work allocates the same.
  package var scalesBase: Bool?
  package init() {}

  /// Pixels on either side of the frames.
  static let margin = 10
  var frameWidth: Int { max(1, width - 2 * Self.margin) }
}
