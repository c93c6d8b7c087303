/// The data sets that go by name.
enum NamedSet: String, CaseIterable {
    case digits
    case mnist
    case fashionMNIST = "fashion-mnist"
    case cifar10
    case cifar100

    var classes: Int { self == .cifar100 ? 100 : 10 }

    /// The folders in which to look, in order; `environment` gives `LANDSCAPE_DATA` and `HOME`.
    func candidates(_ environment: [String: String]) -> [String] {
        var bases: [String] = []
        if let data = environment["LANDSCAPE_DATA"], !data.isEmpty { bases.append(data) }
        bases.append("./data")
        if let home = environment["HOME"], !home.isEmpty {
            bases.append(join(home, ".local/share/landscape"))
        }
        var folders = bases.map { join($0, rawValue) }
        if self == .fashionMNIST { folders.append("/usr/share/datasets/fashion-mnist") }
        // The CIFAR archives unpack into a folder of their own.
        let inner = [NamedSet.cifar10: "cifar-10-batches-bin", .cifar100: "cifar-100-binary"][self]
        return folders.flatMap { folder in [folder] + (inner.map { [join(folder, $0)] } ?? []) }
    }

    /// The first folder that holds data, and how to read it; throws if there is none, saying how to get the
    /// set.
    func locate(_ environment: [String: String]) throws(DataError) -> (folder: String, format: FolderFormat) {
        let candidates = candidates(environment)
        for folder in candidates where isFolder(folder) {
            if let format = try FolderFormat.recognise(folder) { return (folder, format) }
        }
        let places = candidates.map { isFolder($0) ? "\($0) (holds no data files)" : $0 }
        throw DataError(
            "data set '\(rawValue)' is not here; looked in \(places.joined(separator: ", ")). \(advice)"
        )
    }

    private var advice: String {
        let place = "into ./data/\(rawValue), or set LANDSCAPE_DATA to the folder that holds \(rawValue)/"
        return switch self {
        case .digits: "It is part of the program"
        case .mnist:
            "To get it, put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and the t10k pair"
                + " from https://ossci-datasets.s3.amazonaws.com/mnist/ \(place)"
        case .fashionMNIST:
            "To get it, run 'apt install dataset-fashion-mnist', or put the four .gz files of"
                + " https://github.com/zalandoresearch/fashion-mnist \(place)"
        case .cifar10:
            "To get it, unpack https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz \(place)"
        case .cifar100:
            "To get it, unpack https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz \(place)"
        }
    }
}
