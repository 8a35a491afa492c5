extension Suppressions {
  /// What common runtimes keep until the process ends, as seen with glibc 2.36, libstdc++ 12,
  /// GLib 2.74, Python 3.10 to 3.12, Swift 6.3 and Rust 1.9. Only functions that run no code of the program are named,
  /// so that no leak of the program hides behind them; where the C library has no symbols, fewer
  /// are found.
  package static let builtIn = Suppressions(
    rules: entries.flatMap { reason, patterns in
      patterns.map { Rule(pattern: SuppressionPattern($0), scope: .anyFrame, reason: reason) }
    }
      + constructors.map {
        Rule(
          pattern: SuppressionPattern($0), scope: .constructor,
          reason: "set up when the library is loaded")
      })

  private static let entries: [(String, [String])] = [
    ("buffers of open streams", ["_IO_file_doallocate", "_IO_wfile_doallocate"]),
    ("the environment", ["^__add_to_environ"]),
    (
      "locales and translations",
      [
        "^_nl_intern_locale_data", "^_nl_make_l10nflist", "^_nl_find_locale", "^_nl_expand_alias",
        "^new_composite_name", "^set_binding_values", "^__textdomain$",
      ]
    ),
    ("the time zone", ["^tzset_internal", "^__tzfile_read"]),
    ("character conversions", ["^__gconv_find_shlib", "^__gconv_lookup_cache"]),
    (
      "name services",
      [
        "^nss_database_", "^__nss_module_allocate", "^__nss_action_parse", "^__nss_database_get",
        "^__resolv_conf_", "^__check_pf",
      ]
    ),
    (
      "lists of loaded libraries",
      ["^_dl_new_object", "^_dl_map_object", "^_dl_check_map_versions"]
    ),
    ("lists of loaded libraries", ["^_dl_find_object_update", "^_dlfo_"]),
    ("blocks of thread-local variables, kept with the stacks of threads", ["^_dl_allocate_tls"]),
    (
      "metadata of Swift types",
      [
        "^swift::ConcurrentReadable", "swift::LockingConcurrentMap<", "^swift::Lazy<",
        "^ConformanceState::cacheResult", "^swift_getTypeName", "^swift_getExistentialTypeMetadata",
        "^swift_getTupleTypeMetadata", "^swift_addNewDSOImage",
      ]
    ),
    ("guard pages of Rust's threads", ["std::sys*unix::stack_overflow::"]),
    (
      "types, names and code of Python's modules",
      ["^PyType_Ready", "^type_ready", "PyUnicode_Intern", "^r_object$"]
    ),
    (
      "types, names and signals of GLib",
      ["^g_type_register_", "^g_quark_from_", "^g_intern_", "^g_signal_newv"]
    ),
  ]

  /// Libraries whose constructors allocate for good: libstdc++ the memory for exceptions when there
  /// is no other.
  private static let constructors = [
    "libstdc++.so.", "libglib-2.0.so.", "libgobject-2.0.so.", "libswiftCore.so",
    "lib_FoundationICU.so", "libFoundation.so",
  ]
}
