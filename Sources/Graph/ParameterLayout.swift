/// Where each named tensor lies in one flat vector of parameters.
public struct ParameterLayout: Sendable, Hashable {
    /// One tensor of the layout.
    public struct Entry: Sendable, Hashable {
        /// Name, such as `3.weight`.
        public let name: String
        /// Shape, as in PyTorch.
        public let shape: Shape
        /// First element in the flat vector.
        public let offset: Int

        /// The elements of the flat vector that belong to this tensor.
        public var range: Range<Int> { offset..<offset + shape.count }
    }

    /// Tensors in layout order, without gaps.
    public private(set) var entries: [Entry] = []
    /// Length of the flat vector.
    public private(set) var count = 0

    /// An empty layout.
    public init() {}

    /// A layout of the given tensors, one after the other.
    public init(_ tensors: [(name: String, shape: Shape)]) {
        for tensor in tensors { append(tensor.name, tensor.shape) }
    }

    /// Adds a tensor at the end. Names are unique.
    public mutating func append(_ name: String, _ shape: Shape) {
        precondition(self[name] == nil, "two parameters are called \"\(name)\"")
        entries.append(Entry(name: name, shape: shape, offset: count))
        count += shape.count
    }

    /// The tensors whose names are chosen, in this order, one after the other without gaps.
    public func selecting(_ isChosen: (_ name: String) -> Bool) -> ParameterLayout {
        ParameterLayout(entries.filter { isChosen($0.name) }.map { ($0.name, $0.shape) })
    }

    /// The tensor of this name.
    public subscript(name: String) -> Entry? { entries.first { $0.name == name } }
}
