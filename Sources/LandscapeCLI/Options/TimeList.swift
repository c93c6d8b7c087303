import ArgumentParser

/// Training times such as `0,1,10,inf`: not negative, sorted, each once.
struct TimeList: ExpressibleByArgument {
    let values: [Double]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.map { Double($0.filter { $0 != " " }) ?? .nan }
        guard !numbers.isEmpty, numbers.allSatisfy({ $0 >= 0 }) else { return nil }
        values = Set(numbers).sorted()
    }
}
