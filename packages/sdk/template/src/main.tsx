import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import './style.css'

// Nodes may run on this machine, which a browser that is offline still reaches.
const networkMode = 'always'
const queryClient = new QueryClient({ defaultOptions: { queries: { networkMode }, mutations: { networkMode } } })

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
)
