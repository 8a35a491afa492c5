// The heap agent is preloaded, never linked: it has nothing to declare. SwiftPM wants a header.
