-- A row of a number says where a double hides its decimal (MED_HIDDEN in src/search/extract.h). What is
-- stored already is marked by a task; until it is done the text decides wherever doubles are equal.
INSERT INTO note SELECT 'task:rows:decimals', 1,
        '{"kind":"rows","id":"decimals","code":"decimals","state":"waiting"}'
    WHERE EXISTS (SELECT 1 FROM resource);
