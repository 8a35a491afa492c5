import Foundation
import Testing

@testable import Capture

struct CommandTests {
  @Test func aNameIsFoundAlongThePath() throws {
    let command = try Command(["ls", "-l"], searchPath: "/nowhere:/usr/bin:/bin")
    #expect(command.path == "/usr/bin/ls")
    #expect(command.arguments == ["ls", "-l"])
  }

  @Test func aNameThatIsNowhereIsNotFound() {
    #expect(throws: CaptureError.commandNotFound("no-such", searched: ["/usr/bin", "/bin"])) {
      try Command(["no-such"], searchPath: "/usr/bin:/bin")
    }
    #expect(throws: CaptureError.commandNotFound("./no-such", searched: [])) {
      try Command(["./no-such"])
    }
  }

  @Test func whatCannotRunIsRefusedBeforeItIsStarted() throws {
    try inTemporaryFolder { folder in
      let plain = folder + "/plain"
      try write("text", to: plain, mode: 0o644)
      #expect(throws: CaptureError.notExecutable(plain, errno: EACCES)) { try Command([plain]) }
      #expect(throws: CaptureError.isDirectory(folder)) { try Command([folder]) }
    }
  }

  @Test func aScriptIsJudgedByItsInterpreter() throws {
    try inTemporaryFolder { folder in
      let script = folder + "/script"
      try write("#!/bin/sh -e\nexit 0\n", to: script, mode: 0o755)
      #expect(try Command(["./script"], folder: folder).path == folder + "/./script")
      try write("#! /no/such/interpreter\n", to: script, mode: 0o755)
      #expect(
        throws: CaptureError.interpreterMissing(script: script, interpreter: "/no/such/interpreter")
      ) { try Command([script]) }
    }
  }

  @Test func aForeignOrStaticProgramIsRefusedWithTheReason() throws {
    try inTemporaryFolder { folder in
      var image = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "/usr/bin/true")))
      image[18] = 183  // e_machine: EM_AARCH64
      let foreign = folder + "/foreign"
      try write(image, to: foreign, mode: 0o755)
      #expect(throws: CaptureError.foreignArchitecture(foreign, machine: "ARM64")) {
        try Command([foreign])
      }
      let library = folder + "/library"
      let libc = try Data(contentsOf: URL(fileURLWithPath: "/usr/lib/x86_64-linux-gnu/libm.so.6"))
      try write([UInt8](libc), to: library, mode: 0o755)  // no PT_INTERP, as in a static program
      #expect(throws: CaptureError.staticallyLinked(library)) { try Command([library]) }
    }
  }

  private func inTemporaryFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/qprof-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func write(_ text: String, to path: String, mode: Int) throws {
    try write(Array(text.utf8), to: path, mode: mode)
  }

  private func write(_ bytes: [UInt8], to path: String, mode: Int) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
  }
}
