import CAgentWire
import Capture
import ProfileModel

// MARK: - Records

extension ProcessHeap {
  enum Outcome {
    case done
    case later(UInt64)
    case bad
  }

  func readRecord(
    _ thread: UnsafeMutablePointer<TrackedThread>, before limit: UInt64
  ) -> Outcome {
    let position = thread.pointee.position
    let offset = Int(position % UInt64(QPROF_RING_SIZE))
    let start = thread.pointee.ring.bytes + offset
    let size = Int(start.load(as: UInt32.self))
    guard size >= 8, size.isMultiple(of: 8), size <= Int(QPROF_RING_SIZE) - offset,
      UInt64(size) <= thread.pointee.ring.head &- position
    else { return .bad }
    let record = UnsafeRawBufferPointer(start: start, count: size)
    let kind = UInt32(start.load(fromByteOffset: 4, as: UInt16.self))
    let outcome: Outcome
    if kind == QPROF_RECORD_PAD.rawValue {
      outcome = .done
    } else if size < MemoryLayout<qprof_record>.size {
      outcome = .bad
    } else {
      outcome = read(record, kind: kind, thread, before: limit)
    }
    if case .done = outcome { thread.pointee.position = position &+ UInt64(size) }
    return outcome
  }

  private func read(
    _ record: UnsafeRawBufferPointer, kind: UInt32,
    _ thread: UnsafeMutablePointer<TrackedThread>, before limit: UInt64
  ) -> Outcome {
    let header = record.load(as: qprof_record.self)
    switch kind {
    case QPROF_RECORD_STACK.rawValue: return readStack(record, header, thread)
    case QPROF_RECORD_REGION.rawValue: return readRegion(record, header, thread, before: limit)
    case QPROF_RECORD_MAPS.rawValue:
      let fixed = MemoryLayout<qprof_record>.size
      guard Int(header.payload) <= record.count - fixed else { return .bad }
      let text = UnsafeRawBufferPointer(rebasing: record[fixed..<fixed + Int(header.payload)])
      resolver.update(process, maps: text, in: header.weight)
      return .done
    default: return .bad
    }
  }

  private func readStack(
    _ record: UnsafeRawBufferPointer, _ header: qprof_record,
    _ thread: UnsafeMutablePointer<TrackedThread>
  ) -> Outcome {
    let fixed = MemoryLayout<qprof_stack_record>.size
    let count = Int(header.payload)
    guard record.count >= fixed, count <= Int(QPROF_MAX_FRAMES), fixed + count * 8 <= record.count
    else { return .bad }
    let index = record.load(fromByteOffset: 24, as: UInt32.self)
    let generation = record.load(fromByteOffset: 28, as: UInt32.self)
    guard index < QPROF_STACK_INDICES else { return .bad }
    let ending = UInt32(header.flags)
    // A copy: the process may still write where it is read.
    let site = frames.withUnsafeMutableBufferPointer { frames in
      for frame in 0..<count {
        frames[frame] = record.load(fromByteOffset: fixed + frame * 8, as: UInt64.self)
      }
      return self.site(
        of: UnsafeBufferPointer(rebasing: frames[..<count]), ending: ending, generation: generation)
    }
    thread.pointee.setSite(site, of: Int(index))
    return .done
  }

  private func site(
    of frames: UnsafeBufferPointer<UInt64>, ending: UInt32, generation: UInt32
  ) -> UInt32 {
    if generation > stacksGeneration {
      stacks.removeAll()
      stacksGeneration = generation
    }
    // Stacks of an older generation are few: from threads that have not noticed the new one.
    let isKept = generation == stacksGeneration
    let hash = StackTable.hash(frames, ending: ending)
    if isKept, let known = stacks.site(frames, ending: ending, hash: hash) { return known }
    let node = resolver.node(of: frames, ending: ending, generation: generation, process)
    let site = self.site(
      .block, node, isTruncated: ending != UInt32(QPROF_STACK_COMPLETE.rawValue))
    if isKept { stacks.insert(frames, ending: ending, hash: hash, site: site) }
    return site
  }

  private func site(
    _ kind: HeapSite.Kind, _ stack: ID<StackNode>?, isTruncated: Bool
  ) -> UInt32 {
    let key = SiteKey(kind: kind, stack: stack)
    if let known = sitesByKey[key] { return known }
    let site = engine.pointee.addSite()
    siteKeys.append(key)
    sitesByKey[key] = site
    if isTruncated { truncatedSites.insert(site) }
    return site
  }
}

// MARK: - Regions

extension ProcessHeap {
  private func readRegion(
    _ record: UnsafeRawBufferPointer, _ header: qprof_record,
    _ thread: UnsafeMutablePointer<TrackedThread>, before limit: UInt64
  ) -> Outcome {
    guard record.count >= MemoryLayout<qprof_region_record>.size else { return .bad }
    let region = record.load(as: qprof_region_record.self)
    guard region.time < limit else { return .later(region.time) }
    let block =
      Int(truncatingIfNeeded: region.stack) < thread.pointee.siteCount && region.stack < 65536
      ? Int(thread.pointee.sites[Int(region.stack)]) : 0
    switch UInt32(header.flags) {
    case QPROF_REGION_MAPPED.rawValue:
      let site = self.site(of: block, .mapping)
      let (removed, bytes) = ranges.map(region.address, region.length, site: site)
      take(removed)
      if bytes > 0 { engine.pointee.add(HeapAmount(count: 1, bytes: bytes), to: site) }
    case QPROF_REGION_UNMAPPED.rawValue: take(ranges.unmap(region.address, region.length))
    case QPROF_REGION_BREAK.rawValue:
      let bytes = min(max(Int64(bitPattern: region.length), -1 << 47), 1 << 47)
      let site = self.site(of: block, .programBreak)
      take(programBreak.move(by: bytes, site: site))
      if bytes > 0 { engine.pointee.add(HeapAmount(count: 1, bytes: bytes), to: site) }
    default: return .bad
    }
    return .done
  }

  /// The site with the stack of the site `block`, for another kind of memory.
  private func site(of block: Int, _ kind: HeapSite.Kind) -> UInt32 {
    site(kind, siteKeys[block].stack, isTruncated: truncatedSites.contains(UInt32(block)))
  }

  private func take(_ removals: [MappedRanges.Removal]) {
    for removal in removals {
      engine.pointee.remove(
        HeapAmount(count: removal.calls, bytes: removal.bytes), from: removal.site)
    }
  }
}
