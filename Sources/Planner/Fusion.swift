import Graph

/// Which nodes are computed inside another step.
///
/// An elementwise node vanishes into a chain if all its readers are in that chain; a chain ends at an elementwise
/// node that is stored, or at a reduction. A matrix product or convolution that only one chain reads hands its
/// result over without storing it first: the chain becomes its epilogue, also where it reads the result under another
/// shape, since the elements keep their order.
struct Fusion {
    /// Longest chain and most operands of one fused step.
    static let mostTerms = 40, mostLoads = 8

    /// Elementwise nodes that exist only inside a chain.
    private(set) var isInlined: [Bool]
    /// The product whose epilogue a chain is, by the chain's last node, and the node as which the chain reads it: the
    /// product or its reshape.
    private(set) var product: [Int: (id: Int, operand: Int)] = [:]
    /// Products that exist only inside a chain.
    private(set) var hasEpilogue: [Bool]

    /// A chain while it grows.
    private struct Chain {
        var members: Set<Int>
        var leaves: Set<Int>
    }

    init(_ program: Program, live: [Bool], _ options: PlannerOptions) {
        let nodes = program.nodes
        isInlined = Array(repeating: false, count: nodes.count)
        hasEpilogue = Array(repeating: false, count: nodes.count)
        var readers = [[Int]](repeating: [], count: nodes.count)
        for id in nodes.indices where live[id] {
            for operand in Set(nodes[id].operands) { readers[operand].append(id) }
        }
        let outputs = Set(program.outputs.map(\.node))
        /// The last node of the chain that a node belongs to.
        var root = [Int?](repeating: nil, count: nodes.count)
        var chains: [Int: Chain] = [:]
        /// The last node of the only chain that reads a reshape.
        var end: [Int: Int] = [:]

        func leaves(_ id: Int) -> Set<Int> {
            Set(nodes[id].operands).filter { !nodes[$0].isFill }
        }
        // Readers come before what they read.
        for id in nodes.indices.reversed() where live[id] {
            let roots = Set(readers[id].map { root[$0] })
            let only = outputs.contains(id) || roots.count != 1 ? nil : roots.first!
            let primitive = nodes[id].primitive
            if primitive.isElementwise {
                if let end = only, var chain = chains[end] {
                    chain.members.insert(id)
                    chain.leaves.remove(id)
                    chain.leaves.formUnion(leaves(id))
                    let fits =
                        chain.leaves.count <= Self.mostLoads
                        && chain.members.count + chain.leaves.count <= Self.mostTerms
                    if fits {
                        chains[end] = chain
                        root[id] = end
                        isInlined[id] = true
                        continue
                    }
                }
                root[id] = id
                chains[id] = Chain(members: [id], leaves: leaves(id))
            } else if options.fusesReductions, primitive.isReduction {
                root[id] = id
                chains[id] = Chain(members: [id], leaves: leaves(id))
            } else if primitive == .reshape {
                end[id] = only
            } else if options.fusesEpilogues, primitive.isProduct, !outputs.contains(id) {
                let operand = only == nil && readers[id].count == 1 ? readers[id][0] : id
                guard let last = only ?? end[operand], nodes[last].primitive.isElementwise,
                    product[last] == nil
                else { continue }
                product[last] = (id, operand)
                hasEpilogue[id] = true
            }
        }
    }
}

extension Node {
    /// Whether all elements have one value that is known.
    var isFill: Bool {
        if case .constant(.fill) = primitive { true } else { false }
    }
}

extension Primitive {
    fileprivate var isReduction: Bool { self == .reduceSum || self == .reduceMax }

    fileprivate var isProduct: Bool {
        switch self {
        case .matmul, .conv, .dgrad, .wgrad: true
        default: false
        }
    }
}
