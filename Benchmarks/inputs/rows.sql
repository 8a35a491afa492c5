-- 200,000 rows and an index, in about a million allocations; run below `sqlite3 :memory:`.
CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
INSERT INTO t SELECT i, printf('row %06d', i * 7919 % 200003) || hex(i), i / 7.0 FROM n;
CREATE INDEX u ON t(b);
COMMIT;
SELECT count(*), sum(c) FROM t;
