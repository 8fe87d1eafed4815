-- 20,000 orders of 1,000 customers: each has one of ten tastes, and buys mostly what goes with it.
SELECT setseed(0);
CREATE TABLE orders AS
SELECT customer,
       'product ' || CASE WHEN random() < 0.8 THEN customer % 10 * 30 + floor(30 * random() ^ 2)
                          ELSE floor(300 * random()) END AS product
FROM generate_series(1, 1000) AS customer, generate_series(1, 20);
