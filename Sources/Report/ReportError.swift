/// What can go wrong while a figure or a report is made.
public enum ReportError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The figure `name` contradicts itself, for instance in the lengths of its series.
    case badFigure(name: String, reason: String)
    /// A file could not be written.
    case writeFailed(path: String, reason: String)

    /// One line that names the figure or file and what is wrong with it.
    public var description: String {
        switch self {
        case .badFigure(let name, let reason): "figure '\(name)': \(reason)"
        case .writeFailed(let path, let reason): "cannot write \(path): \(reason)"
        }
    }
}
