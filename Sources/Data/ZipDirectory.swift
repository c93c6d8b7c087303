/// The members of a zip archive, found through its central directory, zip64 included.
struct ZipDirectory {
    struct Member {
        var name: String
        var method: Int
        var checksum: Int
        var packedSize: Int
        var size: Int
        /// Where the local header of the member begins.
        var offset: Int
    }

    private let bytes: [UInt8]
    private let name: String
    private(set) var members: [Member] = []

    /// Reads the directory of the archive `bytes`; `name` is the file to name in errors.
    init(_ bytes: [UInt8], name: String) throws(DataError) {
        self.bytes = bytes
        self.name = name
        let end = try endRecord()
        var (count, at) = (try field(end + 10, 2), try field(end + 16, 4))
        if count == 0xFFFF || at == 0xFFFF_FFFF {
            let locator = end - 20
            if locator >= 0, try field(locator, 4) == 0x0706_4B50 {
                let large = try field(locator + 8, 8)
                guard try field(large, 4) == 0x0606_4B50 else { throw damaged("its zip64 end record") }
                (count, at) = (try field(large + 32, 8), try field(large + 48, 8))
            }
        }
        for _ in 0..<count {
            guard try field(at, 4) == 0x0201_4B50 else { throw damaged("its directory") }
            members.append(try member(at))
            at += 46 + (try field(at + 28, 2)) + (try field(at + 30, 2)) + (try field(at + 32, 2))
        }
    }

    /// The unpacked and checked bytes of `member`.
    func content(of member: Member) throws(DataError) -> [UInt8] {
        let label = "\(name), member '\(member.name)'"
        guard try field(member.offset, 4) == 0x0403_4B50 else { throw damaged("member '\(member.name)'") }
        let start =
            member.offset + 30 + (try field(member.offset + 26, 2)) + (try field(member.offset + 28, 2))
        guard start <= bytes.count, member.packedSize <= bytes.count - start else {
            throw DataError("\(label): truncated: \(member.packedSize) bytes announced, fewer are there")
        }
        let range = start..<start + member.packedSize
        var content: [UInt8] = []
        switch member.method {
        case 0:
            content = Array(bytes[range])
        case 8:
            let end: Int
            do {
                end = try inflate(bytes, in: range, windowBits: -15, limit: member.size, into: &content)
            } catch {
                throw DataError("\(label): corrupt: \(Self.text(error))")
            }
            guard end == range.upperBound else {
                throw DataError("\(label): corrupt: \(range.upperBound - end) bytes left over in the member")
            }
        default:
            throw DataError(
                "\(label): packed by zip method \(member.method), expected 0 (stored) or 8 (deflated)")
        }
        guard content.count == member.size else {
            throw DataError("\(label): corrupt: \(member.size) bytes announced, \(content.count) found")
        }
        guard Int(Data.checksum(content)) == member.checksum else {
            throw DataError("\(label): corrupt: the CRC-32 of the content is not the one in the archive")
        }
        return content
    }

    private func member(_ at: Int) throws(DataError) -> Member {
        let nameLength = try field(at + 28, 2)
        let extraStart = at + 46 + nameLength
        let extraEnd = extraStart + (try field(at + 30, 2))
        guard extraEnd <= bytes.count else { throw damaged("its directory") }
        var member = Member(
            name: String(decoding: bytes[(at + 46)..<extraStart], as: UTF8.self),
            method: try field(at + 10, 2),
            checksum: try field(at + 16, 4), packedSize: try field(at + 20, 4), size: try field(at + 24, 4),
            offset: try field(at + 42, 4))
        guard try field(at + 8, 2) & 1 == 0 else {
            throw DataError("\(name): member '\(member.name)' is encrypted, expected plain data")
        }
        // The zip64 extra field holds, in this order, those of the three that do not fit 32 bits.
        var extra = extraStart
        while extra + 4 <= extraEnd {
            if try field(extra, 2) == 1 {
                var next = extra + 4
                for path in [\Member.size, \Member.packedSize, \Member.offset]
                where member[keyPath: path] == 0xFFFF_FFFF {
                    member[keyPath: path] = try field(next, 8)
                    next += 8
                }
                break
            }
            extra += 4 + (try field(extra + 2, 2))
        }
        return member
    }

    /// Where the end record begins: the last place where its comment reaches exactly the end of the file.
    private func endRecord() throws(DataError) -> Int {
        guard bytes.starts(with: [0x50, 0x4B]) else {
            throw DataError("\(name): not a zip archive (.npz): it does not begin with the letters PK")
        }
        var at = bytes.count - 22
        let last = max(0, at - 0xFFFF)
        while at >= last {
            if try field(at, 4) == 0x0605_4B50, try field(at + 20, 2) == bytes.count - at - 22 { return at }
            at -= 1
        }
        throw DataError(
            "\(name): truncated: the end of the zip archive is missing (\(bytes.count) bytes found)")
    }

    private func field(_ at: Int, _ size: Int) throws(DataError) -> Int {
        guard let value = bytes.littleEndian(at: at, size: size) else { throw damaged("its directory") }
        return value
    }

    private func damaged(_ what: String) -> DataError {
        DataError("\(name): the zip archive is damaged: \(what) cannot be read")
    }

    private static func text(_ failure: InflateFailure) -> String {
        switch failure {
        case .truncated: "the packed data end too early"
        case .corrupt(let why): why
        case .tooLong: "the packed data are longer than announced"
        }
    }
}
