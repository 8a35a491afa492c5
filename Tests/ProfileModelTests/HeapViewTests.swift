import ProfileModel
import TestSupport
import Testing

@Suite struct HeapViewTests {
  private let profile: Profile
  private let (first, second): (ID<ProcessImage>, ID<ProcessImage>)

  /// CPU samples, and a heap of two processes with sites of all kinds.
  init() {
    var builder = ProfileBuilder()
    let threads = ["sh", "cc1"].enumerated().map { number, name in
      let pid = Int32(10 + number)
      return builder.addThread(process: name, pid: pid, tid: pid, name: name)
    }
    (first, second) = (
      builder.profile.threads[threads[0]].process, builder.profile.threads[threads[1]].process
    )
    builder.add(["main"], weight: 7, thread: threads[0], time: Nanoseconds(1))
    builder.profile.period = .cpu(Nanoseconds(4_000_000))
    builder.profile.provenance.requestedRate = 1000
    builder.profile.provenance.effectiveRate = 250
    builder.profile.losses.add(.ringFull, events: 2, weight: 3)
    builder.profile.losses.add(.leftRunning, events: 1)
    builder.profile.losses.processNames[.leftRunning] = ["daemon"]
    builder.addSite(
      ["main", "parse"], process: first, allocated: HeapAmount(count: 10, bytes: 1000),
      freed: HeapAmount(count: 9, bytes: 940), atPeak: HeapAmount(count: 5, bytes: 500),
      temporary: HeapAmount(count: 4, bytes: 40))
    builder.addSite(
      ["main", "parse"], process: second, allocated: HeapAmount(count: 1, bytes: 16),
      freed: HeapAmount(count: 1, bytes: 16))
    builder.addSite(
      ["main", "map"], process: first, kind: .mapping,
      allocated: HeapAmount(count: 2, bytes: 8192), atPeak: HeapAmount(count: 1, bytes: 4096))
    profile = builder.profile
  }

  private func weights(_ metric: HeapMetric, _ kind: HeapSite.Kind = .block) -> [Int64] {
    profile.view(of: metric, kind: kind).samples.map(\.weight)
  }

  @Test func everyMetricOfEveryKind() {
    #expect(weights(.allocs) == [10, 1])
    #expect(weights(.bytes) == [1000, 16])
    #expect(weights(.peak) == [500])
    #expect(weights(.leaked) == [60])
    #expect(weights(.temporary) == [4])
    #expect(weights(.allocs, .mapping) == [2])
    #expect(weights(.leaked, .mapping) == [8192])
    #expect(weights(.bytes, .programBreak) == [])
  }

  @Test func valueTypesTellTheMetric() {
    for metric in HeapMetric.allCases {
      let view = profile.view(of: metric)
      #expect(view.heapMetric == metric)
      #expect(view.valueType.unit == ([.allocs, .temporary].contains(metric) ? "count" : "bytes"))
    }
    #expect(Set(HeapMetric.allCases.map(\.valueType)).count == HeapMetric.allCases.count)
    #expect(profile.heapMetric == nil)
    #expect(profile.cpuView.heap == nil)
    #expect(profile.cpuView.samples == profile.samples)
  }

  @Test func amountsBelongToProcessesAndNoThread() {
    let view = profile.view(of: .bytes)
    #expect(view.samples.map { view.process(of: $0) } == [first, second])
    let totals = ProcessTotals(view)
    #expect(totals.processes.map(\.tally.weight) == [1000, 16])
    #expect(totals.processes.flatMap(\.threads).map(\.tally.weight) == [0, 0])
    #expect(totals.withoutThread == Tally())
    #expect(FlatProfile(view).functions.first?.function.name == "parse")
    #expect(CallTree(view).total.weight == 1016)
  }

  @Test func nothingOfTheCPUSamplesIsLeft() {
    let view = profile.view(of: .peak)
    #expect(view.period == nil)
    #expect(view.provenance.effectiveRate == 0)
    #expect(view.losses[.ringFull].events == 0)
    #expect(view.losses[.leftRunning].events == 1)
    #expect(view.losses.processNames[.leftRunning] == ["daemon"])
    #expect(StackTotals(view).effectiveSamples == nil)
  }

  @Test func sampledHeapsHaveAPeriodInBytes() {
    var sampled = profile
    sampled.heap?.mode = .sample(interval: Bytes(524_288))
    let period = Period(type: ValueType(kind: "space", unit: "bytes"), value: 524_288)
    #expect(sampled.view(of: .allocs).period == period)
    #expect(Quantities(sampled.view(of: .allocs)).text(11) == "11 allocations")
  }

  @Test func amountsInWords() {
    #expect(Quantities(profile.view(of: .bytes)).text(1016) == "1,016 B")
    #expect(Quantities(profile.view(of: .leaked)).text(61_440) == "60.0 KiB")
    #expect(Quantities(profile.view(of: .allocs)).text(1) == "1 allocation")
    #expect(Quantities(profile.view(of: .temporary)).text(4) == "4 temporary allocations")
  }

  @Test func withoutSitesTheViewIsEmpty() {
    var counted = profile
    counted.heap = HeapProfile(mode: .count)
    #expect(counted.view(of: .peak).samples.isEmpty)
    counted.heap = nil
    #expect(counted.view(of: .peak).samples.isEmpty)
  }
}

@Suite struct AllocatorFunctionTests {
  @Test(arguments: [
    "operator new(unsigned long)", "operator new[](unsigned long, std::align_val_t)",
    "swift_allocObject", "swift_slowAlloc", "__rust_alloc", "alloc::alloc::exchange_malloc",
    "<alloc::alloc::Global as core::alloc::Allocator>::allocate", "g_malloc0", "xmalloc",
    "std::allocator_traits<std::allocator<char> >::allocate(std::allocator<char>&, unsigned long)",
    "__gnu_cxx::new_allocator<int>::allocate(unsigned long, void const*)",
  ])
  func wrappersOfMalloc(name: String) { #expect(AllocatorFunctions.contains(name)) }

  @Test(arguments: [
    "main", "strdup", "my::allocate(int)", "operator delete(void*)", "xmalloc_all",
    "std::vector<int, std::allocator<int> >::reserve(unsigned long)",
    "alloc::raw_vec::RawVec<T,A>::reserve_for_push", "swift_release",
  ])
  func whatDecidesToAllocate(name: String) { #expect(!AllocatorFunctions.contains(name)) }

  @Test func onlyTheLeafEndIsLeftOut() {
    var builder = ProfileBuilder()
    let thread = builder.addThread(process: "p", pid: 1, tid: 1, name: "p")
    let process = builder.profile.threads[thread].process
    let amount = HeapAmount(count: 1, bytes: 8)
    let stacks = [
      ["main", "make", "swift_allocObject", "swift_slowAlloc"],
      ["main", "make"],
      ["main", "xmalloc", "oom_handler"],
      ["xmalloc", "operator new(unsigned long)"],
      [],
    ]
    for stack in stacks { builder.addSite(stack, process: process, allocated: amount) }
    let view = builder.profile.view(of: .allocs).hidingAllocators()
    let names = view.samples.map { sample in
      view.locations(of: sample.stack).reversed().map { view.frames(of: $0)[0].name }
    }
    #expect(
      names == [
        ["main", "make"], ["main", "make"], ["main", "xmalloc", "oom_handler"],
        ["xmalloc", "operator new(unsigned long)"], [],
      ])
    #expect(view.samples.map(\.weight) == [1, 1, 1, 1, 1])
  }
}
