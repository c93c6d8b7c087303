import Report
import Testing

@Suite struct TextTableTests {
    @Test func columnsAlign() {
        let expected = """
            A *table*
            name          λ_max
            ────────────  ──────
            standard <b>   41.2
            adversarial    12.3*
            short

            """
        #expect(DocumentTests.table.text == expected)
    }

    @Test func centreAndEmpty() {
        let table = Table(columns: [Column("mark", alignment: .centre), "x"], rows: [["a", "b\nc"]])
        #expect(table.text == "mark  x\n────  ───\n a    b c\n")
        #expect(Table(columns: ["a"]).text == "a\n─\n")
    }
}
