import Analysis
import Backend
import TestSupport
import Testing

extension OnDevices {
    /// What a limit on memory does to what is allocated after it.
    @Suite struct MemoryLimitTests {
        @Test func allocationsKeepWithinTheLimit() throws {
            let backend = CPUBackend()
            let before = try backend.allocate(100, .float64)
            backend.limitMemory(to: 4000)
            #expect(backend.freeMemory <= 4000 - 800)
            let inside = try backend.allocate(300, .float64)
            #expect(throws: BackendError.self) { try backend.allocate(300, .float64) }
            // A second limit never gives back what the first has taken.
            backend.limitMemory(to: 1 << 30)
            #expect(throws: BackendError.self) { try backend.allocate(300, .float64) }
            #expect(before.count + inside.count == 400)
        }

        /// A limit below what is in use leaves nothing, and no negative rest.
        @Test func aLimitBelowWhatIsInUse() throws {
            let backend = CPUBackend()
            let held = try backend.allocate(1000, .float64)
            backend.limitMemory(to: 10)
            #expect(backend.freeMemory == 0)
            #expect(throws: BackendError.self) { try backend.allocate(1, .float64) }
            #expect(held.count == 1000)
        }
    }
}
