"""What the routes answer: each shape, and how it is made. The same shapes stand in the OpenAPI document."""
