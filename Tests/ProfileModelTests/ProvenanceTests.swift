import ProfileModel
import Testing

@Suite struct ProvenanceTests {
  private static let lines: [(command: [String], line: String)] = [
    (["ls", "-l"], "ls -l"), (["sh", "-c", "a b"], "sh -c 'a b'"), (["echo", ""], "echo ''"),
    (["echo", "it's"], #"echo 'it'\''s'"#), (["x", "a\nb"], "x 'a\nb'"), (["'"], #"''\'''"#),
    ([], ""),
  ]

  @Test(arguments: lines) func commandsAreQuotedForAShell(command: [String], line: String) {
    var provenance = Provenance()
    provenance.command = command
    #expect(provenance.commandLine == line)
  }
}
