/// The extents of a row-major tensor, outermost first. The empty shape is a scalar.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// Extent of every axis.
    public var dims: [Int]

    /// A shape with the given extents.
    public init(_ dims: [Int]) {
        precondition(dims.allSatisfy { $0 >= 0 }, "a shape needs extents of at least 0, found \(dims)")
        self.dims = dims
    }

    /// A shape from a literal such as `[3, 4]`.
    public init(arrayLiteral elements: Int...) { self.init(elements) }

    /// Number of axes.
    public var rank: Int { dims.count }

    /// Number of elements: the product of the extents, 1 for a scalar.
    public var count: Int { dims.reduce(1, *) }

    /// The extent of one axis; negative axes count from the end.
    public subscript(axis: Int) -> Int {
        get { dims[axis < 0 ? axis + rank : axis] }
        set { dims[axis < 0 ? axis + rank : axis] = newValue }
    }

    /// Distance in elements between neighbours along each axis.
    public var strides: [Int] {
        var result = [Int](repeating: 1, count: rank)
        for axis in stride(from: rank - 2, through: 0, by: -1) {
            result[axis] = result[axis + 1] * dims[axis + 1]
        }
        return result
    }

    /// This shape with the given axes set to 1.
    public func reducing(_ axes: [Int]) -> Shape {
        var result = self
        for axis in axes { result[axis] = 1 }
        return result
    }

    /// A readable form such as `[64×10]`.
    public var description: String { "[" + dims.map(String.init).joined(separator: "×") + "]" }
}
