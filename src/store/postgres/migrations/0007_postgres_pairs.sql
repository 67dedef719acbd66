-- Resources have rows by code and value (src/search/pair.h), among those of numbers, and none of
-- what is two parameters in one. What is stored already gets and loses them by a task; until it is
-- done no search relies on them.
INSERT INTO note SELECT 'task:rows:pairs'::bytea, 1,
        '{"kind":"rows","id":"pairs","code":"pairs","state":"waiting"}'::bytea
    WHERE EXISTS (SELECT 1 FROM resource);
