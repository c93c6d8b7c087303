import Planner

/// Memory of the host in the layout of a precision.
final class HostBytes {
    let bytes: UnsafeMutableRawBufferPointer
    private let precision: Precision

    /// Memory that holds the given values.
    init(_ values: [Double], _ precision: Precision) {
        self.precision = precision
        bytes = .allocate(byteCount: values.count * precision.bytes, alignment: 4096)
        switch precision {
        case .float64: values.withUnsafeBytes { bytes.copyMemory(from: $0) }
        case .float32: values.map { Float($0) }.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }

    deinit { bytes.deallocate() }

    /// What it holds now.
    var values: [Double] {
        switch precision {
        case .float64: Array(bytes.bindMemory(to: Double.self))
        case .float32: bytes.bindMemory(to: Float.self).map(Double.init)
        }
    }
}
