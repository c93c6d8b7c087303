import Foundation

/// Where samples come from, written `NAME[:SPLIT[:COUNT]]`.
///
/// NAME is `digits`, `mnist`, `fashion-mnist`, `cifar10`, `cifar100`, or a folder (write `./digits` for a
/// folder of that name); SPLIT is `train`, the default, or `test`; COUNT asks for a balanced subset of that
/// size.
public struct DataSource: Sendable, Equatable, CustomStringConvertible {
    /// The name of a known set, or the path of a folder.
    public let name: String
    /// The part of the set.
    public let split: Split
    /// The size of the subset; nil for all samples.
    public let count: Int?

    /// A source of these parts; `count`, if given, must be positive.
    public init(name: String, split: Split = .train, count: Int? = nil) {
        precondition(count.map { $0 > 0 } ?? true, "DataSource: a count must be positive")
        self.name = name
        self.split = split
        self.count = count
    }

    /// Reads `NAME[:SPLIT[:COUNT]]`.
    ///
    /// A path may hold colons: SPLIT and COUNT are looked for at the end, and a text that is as a whole an
    /// existing folder is that folder. Throws if the name is empty, the split unknown, or the count not a
    /// positive whole number.
    public init(parsing text: String) throws(DataError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        var nameParts = parts.count
        if NamedSet(rawValue: parts[0]) != nil {
            nameParts = 1
        } else if isFolder(Self.expanded(text)) {
            nameParts = parts.count
        } else if parts.count > 1, Split(rawValue: parts[parts.count - 1]) != nil {
            nameParts = parts.count - 1
        } else if parts.count > 2, Split(rawValue: parts[parts.count - 2]) != nil {
            nameParts = parts.count - 2
        } else {
            // With a split misspelt: the longest folder that exists.
            for length in stride(from: parts.count - 1, to: 0, by: -1)
            where isFolder(Self.expanded(parts[..<length].joined(separator: ":"))) {
                nameParts = length
                break
            }
        }
        let name = parts[..<nameParts].joined(separator: ":")
        let options = parts[nameParts...].map { $0 }
        guard !name.isEmpty, options.count <= 2 else {
            throw DataError("data '\(text)' is not understood, expected NAME[:SPLIT[:COUNT]]")
        }
        var split = Split.train
        if let word = options.first {
            guard let known = Split(rawValue: word) else {
                throw DataError("data '\(text)': the split is '\(word)', expected 'train' or 'test'")
            }
            split = known
        }
        var count: Int?
        if options.count == 2 {
            guard let number = Int(options[1]), number > 0 else {
                throw DataError(
                    "data '\(text)': the count is '\(options[1])', expected a positive whole number")
            }
            count = number
        }
        self.init(name: name, split: split, count: count)
    }

    /// The source as `init(parsing:)` reads it.
    public var description: String {
        "\(name):\(split)" + (count.map { ":\($0)" } ?? "")
    }

    /// The data set, checked, with pixels scaled to [0, 1].
    ///
    /// A known set is looked for in `$LANDSCAPE_DATA/NAME`, `./data/NAME`, `~/.local/share/landscape/NAME`
    /// and, for Fashion-MNIST, in `/usr/share/datasets`; what a folder holds is told from its files. Throws
    /// if the data are not there (the message says how to get them), damaged, or fewer than `count`.
    public func load(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(DataError) -> Dataset {
        if let known = NamedSet(rawValue: name) {
            if known == .digits {
                let digits = Digits.dataset(split: split)
                guard let count else { return digits }
                return try digits.balancedSubset(count: count)
            }
            let (folder, format) = try known.locate(environment)
            return try format.samples(folder: folder, split: split)
                .dataset(name: name, split: split, classes: known.classes, count: count)
        }
        let folder = Self.expanded(name)
        guard isFolder(folder) else {
            let known = NamedSet.allCases.map(\.rawValue).joined(separator: ", ")
            throw DataError("data '\(name)' is neither a folder nor a known set (\(known))")
        }
        guard let format = try FolderFormat.recognise(folder) else {
            throw DataError("folder '\(folder)' holds no data set, expected \(FolderFormat.expectation)")
        }
        return try format.samples(folder: folder, split: split).dataset(
            name: name, split: split, count: count)
    }

    /// `path` with a leading `~/` replaced by the home folder.
    private static func expanded(_ path: String) -> String {
        guard path.hasPrefix("~/"), let home = ProcessInfo.processInfo.environment["HOME"] else {
            return path
        }
        return join(home, String(path.dropFirst(2)))
    }
}
