import Foundation
import ProfileFormats
import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  /// Everything that can keep a command from being recorded: what is said, with which status, and
  /// that nothing half-written stays behind. Errors of the commands that read are in CLITests.
  @Suite struct RecordErrorTests {
    private let scratch: Scratch
    init() throws {
      scratch = try Scratch()
      for name in ["work", "work/.git", "room"] {
        try FileManager.default.createDirectory(
          atPath: scratch(name), withIntermediateDirectories: false)
      }
    }

    @Test func commandNotFound() throws {
      try expect(record("qprof-no-such-command"), 127, "'qprof-no-such-command'", "PATH", "Check")
      try expect(record("./none/such"), 127, "'./none/such'", "Check the path")
      try expect(record(""), 127, "Check the path")
    }

    @Test func notExecutable() throws {
      let path = try file("plain", "echo hello", mode: 0o644)
      try expect(record(path), 126, path, "Permission denied", "chmod +x")
      try expect(record("./plain", folder: scratch.path), 126, "./plain", "chmod +x")
    }

    @Test func folder() throws {
      try expect(record(scratch.path), 126, scratch.path, "is a folder")
    }

    @Test(arguments: ["split-static", "split-staticpie"]) func staticallyLinked(name: String) throws
    {
      let path = try BuiltProducts.workload(name)
      try expect(record(path, "1"), 126, path, "statically linked", "Link it dynamically")
    }

    @Test(.enabled(if: geteuid() == 0, "needs root")) func setUserID() throws {
      let path = scratch("setuid")
      try FileManager.default.copyItem(atPath: try BuiltProducts.workload("split"), toPath: path)
      try #require(chown(path, 65534, 65534) == 0 && chmod(path, 0o4755) == 0)
      try expect(record(path, "1"), 126, path, "setuid", "cp '\(path)'")
    }

    @Test(arguments: [(183, 2, "ARM64"), (3, 1, "32-bit x86"), (243, 2, "RISC-V"), (40, 1, "ARM")])
    func foreignArchitecture(machine: UInt8, fileClass: UInt8, name: String) throws {
      let path = try file("foreign", "", mode: 0o755)
      try elfHeader(machine: machine, fileClass: fileClass).write(to: URL(fileURLWithPath: path))
      try expect(record(path), 126, path, name, "x86-64")
    }

    @Test func scriptWithoutItsInterpreter() throws {
      let path = try file("script", "#!/no/such/interpreter -x\n", mode: 0o755)
      try expect(record(path), 127, path, "'/no/such/interpreter'", "install the interpreter")
    }

    @Test func notAProgramAtAll() throws {
      // As execvp does: a text file without a first line for the kernel is one for the shell.
      let script = try file("script", "echo from the shell\n", mode: 0o755)
      let result = try record(script)
      #expect(result.ending == .exited(0))
      #expect(result.output == "from the shell\n")
    }

    /// The command runs to its end, and its status is told.
    @Test func theRecordingGoesAwayMeanwhile() throws {
      let path = scratch("gone.qprof")
      let result = try runToEnd([
        BuiltProducts.qprof, "record", "-o", path, "--", "bash", "-c",
        "rm '\(path)'; sleep 1.5; exit 4",
      ])
      try expect(result, 125, path, "ended with exit status 4")
    }

    /// A finished recording may be written anew, one that is under way may not.
    @Test func theRecordingIsInUse() throws {
      let path = scratch("used.qprof")
      let first = try StartedProgram([
        BuiltProducts.qprof, "record", "-o", path, "--", "sleep", "600",
      ])
      while !isBeingRecorded(path: path) { usleep(50_000) }
      let second = try runToEnd([BuiltProducts.qprof, "record", "-o", path, "--", "true"])
      try expect(second, 66, path, "locked by another process")
      first.send(SIGINT)
      #expect(try first.wait(seconds: 60).ending == .killed(signal: SIGINT))
      #expect(try readRecording(path: path).isComplete)
      let third = try runToEnd([BuiltProducts.qprof, "record", "-o", path, "--", "true"])
      #expect(third.ending == .exited(0))
    }

    @Test func agentNotFound() throws {
      let result = try record(options: ["--agent-dir", "/no/such/folder"], "true")
      try expect(result, 125, "libqprof-sampler.so", "Looked in: /no/such/folder", "--agent-dir")
      // Alone in a folder, the program finds no agent anywhere and lists the places.
      let alone = scratch("alone")
      try FileManager.default.createDirectory(atPath: alone, withIntermediateDirectories: false)
      try FileManager.default.copyItem(atPath: BuiltProducts.qprof, toPath: alone + "/qprof")
      let listed = try runToEnd(
        [alone + "/qprof", "record", "--", "true"], folder: scratch("work"),
        environment: environment.merging(["QPROF_AGENT_DIR": "/some/where"]) { $1 })
      try expect(listed, 125, "Looked in: /some/where, \(alone), \(alone)/../lib/qprof")
    }

    /// In a mount namespace of its own, where every place for the session file is tiny.
    @Test(.enabled(if: geteuid() == 0, "needs root to mount"))
    func noRoomForTheSessionFile() throws {
      let folder = URL(fileURLWithPath: "/var/tmp/qprof-test-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
      defer { try? FileManager.default.removeItem(at: folder) }
      let script = """
        set -e
        mkdir room
        mount --bind "$0" /mnt  # the build may lie in one of these places
        for place in room /dev/shm /tmp; do mount -t tmpfs -o size=1m tmpfs $place; done
        XDG_RUNTIME_DIR=$PWD/room /mnt/qprof record -o a.qprof -- sh -c 'echo ran' && exit 99
        status=$?
        LC_ALL=C ls -A room /dev/shm /tmp >&2
        exit $status
        """
      let result = try runToEnd(
        ["unshare", "-m", "bash", "-c", script, BuiltProducts.folder.path], folder: folder.path)
      #expect(result.status == 125)
      #expect(result.output == "")
      for word in [
        "no room for the session file", "room (", "/dev/shm (", "/tmp (", "No space left on device",
        "XDG_RUNTIME_DIR",
      ] {
        #expect(result.error.contains(word), "\(result.error)")
      }
      #expect(result.error.hasSuffix("/dev/shm:\n\n/tmp:\n\nroom:\n"), "\(result.error)")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(left == ["room"])
    }

    @Test func outputThatCannotBeWritten() throws {
      let file = try file("file", "", mode: 0o644)
      for output in ["/proc/x.qprof", scratch("none/x.qprof"), file + "/x.qprof", scratch("room")] {
        let result = try record(options: ["-o", output], "sh", "-c", "echo ran")
        try expect(result, 73, output, "-o")
      }
    }

    @Test func aFileOfSomebodyElseIsNotOverwritten() throws {
      let path = try file("precious.txt", "keep me", mode: 0o644)
      let result = try record(options: ["-o", path], "sh", "-c", "echo ran")
      try expect(result, 73, path, "not overwritten")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "keep me")
    }

    @Test func benchThatFailsToBuild() throws {
      try file(
        "work/qprof.toml",
        """
        [bench.fast]
        module = "m"
        build = ["sh", "-c", "for i in $(seq 100); do echo line $i; done; echo broken >&2; exit 7"]
        command = ["true"]
        [bench.faster]
        module = "m"
        command = ["true"]
        """, mode: 0o644)
      let result = try bench("fast")
      try expect(result, 3, "'fast'", "status 7", "line 100", "broken", keeps: ["qprof.toml"])
      #expect(!result.error.contains("line 50\n"), "only the last lines")
      try expect(
        bench("fats"), 64, "no bench 'fats'", "did you mean 'fast'", "faster", keeps: ["qprof.toml"]
      )
    }

    @Test func benchWithoutConfiguration() throws {
      try expect(bench("fast"), 66, "no qprof.toml", "qprof init")
    }

    private func bench(_ name: String) throws -> ProgramResult {
      try runToEnd(
        [BuiltProducts.qprof, "record", "--bench", name], folder: scratch("work"),
        environment: environment)
    }

    // MARK: - What the tests share

    private var environment: [String: String?] {
      ["XDG_RUNTIME_DIR": scratch("room"), "QPROF_AGENT_DIR": nil, "LC_ALL": "C"]
    }

    private func record(
      options: [String] = [], _ command: String..., folder: String? = nil
    ) throws -> ProgramResult {
      try runToEnd(
        [BuiltProducts.qprof, "record"] + options + ["--"] + command,
        folder: folder ?? scratch("work"), environment: environment)
    }

    @discardableResult
    private func file(_ name: String, _ text: String, mode: mode_t) throws -> String {
      try scratch.write(text, name)
      try #require(chmod(scratch(name), mode) == 0)
      return scratch(name)
    }

    /// `qprof: …` with all of `words`, nothing on standard output, and nothing left behind: no
    /// session, and of recordings at most an empty folder.
    private func expect(
      _ result: ProgramResult, _ status: Int32, _ words: String..., keeps: [String] = [],
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      #expect(result.ending == .exited(status), "\(result.error)", sourceLocation: sourceLocation)
      #expect(result.output == "", sourceLocation: sourceLocation)
      #expect(result.error.hasPrefix("qprof: "), "\(result.error)", sourceLocation: sourceLocation)
      for word in words {
        #expect(
          result.error.contains(word), "no '\(word)' in: \(result.error)",
          sourceLocation: sourceLocation)
      }
      let sessions = try FileManager.default.contentsOfDirectory(atPath: scratch("room"))
      #expect(sessions == [], sourceLocation: sourceLocation)
      let left = try FileManager.default.subpathsOfDirectory(atPath: scratch("work"))
      #expect(
        Set(left).subtracting([".qprof", ".qprof/recordings", ".git"] + keeps) == [],
        sourceLocation: sourceLocation)
    }

    /// An executable's header and nothing else.
    private func elfHeader(machine: UInt8, fileClass: UInt8) -> Data {
      let size = fileClass == 2 ? 64 : 52
      var bytes = [UInt8](repeating: 0, count: size)
      bytes.replaceSubrange(0..<7, with: [0x7f, 0x45, 0x4c, 0x46, fileClass, 1, 1])
      bytes[16] = 2  // e_type: executable
      bytes[18] = machine
      bytes[20] = 1  // e_version
      bytes[size - 12] = UInt8(size)  // e_ehsize
      return Data(bytes)
    }
  }
}
