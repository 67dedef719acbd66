-- Resources have rows by hub and date (src/search/hub.h), among those of numbers. What is stored
-- already gets them from a task; until it is done no search relies on them.
INSERT INTO note SELECT 'task:rows:hubs', 1, '{"kind":"rows","id":"hubs","code":"hubs","state":"waiting"}'
    WHERE EXISTS (SELECT 1 FROM resource);
